-- Counters: what judging remembers and may lose. Times are seconds since the epoch.

CREATE TABLE token (
    nonce BLOB PRIMARY KEY,
    uses INTEGER NOT NULL,
    bodies INTEGER NOT NULL, -- of them remembered below
    networks BLOB NOT NULL, -- keys of the first known network, each after its length; empty: none known yet
    over_at REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE token_body (
    nonce BLOB NOT NULL,
    body BLOB NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (nonce, body)
) STRICT, WITHOUT ROWID;

CREATE TABLE tally (
    key BLOB NOT NULL,
    window REAL NOT NULL,
    slot INTEGER NOT NULL,
    n INTEGER NOT NULL,
    over_at REAL NOT NULL,
    PRIMARY KEY (key, window, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE print (
    print BLOB PRIMARY KEY,
    n INTEGER NOT NULL,
    over_at REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX token_over ON token (over_at);
CREATE INDEX tally_over ON tally (over_at);
CREATE INDEX print_over ON print (over_at);
