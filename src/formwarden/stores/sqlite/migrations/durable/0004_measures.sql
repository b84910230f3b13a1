-- What limits grow and shrink by. A reply that waits in the queue has a score; `wanted` ones were counted in their day.
ALTER TABLE reply ADD COLUMN score REAL;
ALTER TABLE reply ADD COLUMN wanted INTEGER NOT NULL DEFAULT 0;
-- Whose it is, refused ones too, for whoever asks why no mail came: seldom, so no index makes a reservation dearer.
ALTER TABLE reply ADD COLUMN recipient BLOB;
CREATE INDEX reply_queue ON reply (score) WHERE state = 'held' AND score IS NOT NULL;

-- Whose a granted reply is, by the number of its row, and what became of it. Replies granted before have none.
CREATE TABLE account (
    reply INTEGER PRIMARY KEY,
    provider BLOB NOT NULL,
    site BLOB NOT NULL,
    label TEXT NOT NULL,
    domain BLOB,
    client BLOB,
    networks BLOB NOT NULL, -- keys, each behind its length
    standing TEXT NOT NULL,
    at REAL NOT NULL, -- granted
    entered_at REAL, -- known, or presumed delivered, from then on; NULL: neither
    hard REAL NOT NULL DEFAULT 0, -- how much of a failure it was
    complained_at REAL
) STRICT;

-- Only what has an outcome stands in these: a reservation writes none of them.
CREATE INDEX account_provider ON account (provider, entered_at) WHERE entered_at IS NOT NULL;
CREATE INDEX account_site ON account (site, entered_at) WHERE entered_at IS NOT NULL;
CREATE INDEX account_entered ON account (entered_at, hard) WHERE entered_at IS NOT NULL;
CREATE INDEX account_complained ON account (complained_at) WHERE complained_at IS NOT NULL;

CREATE TABLE breaker (
    subject BLOB PRIMARY KEY,
    label TEXT NOT NULL,
    cause TEXT NOT NULL,
    level INTEGER NOT NULL, -- how many times it opened in a row
    probes INTEGER NOT NULL, -- so many decide
    opened_at REAL NOT NULL,
    until REAL, -- NULL: until mended
    closes_at REAL, -- from then on it is closed, and its window begins there
    tidied INTEGER NOT NULL -- 1: closed, and said so
) STRICT, WITHOUT ROWID;

-- Replies that are out for a half-open breaker, or came back well.
CREATE TABLE probe (
    subject BLOB NOT NULL,
    reply INTEGER NOT NULL,
    PRIMARY KEY (subject, reply)
) STRICT, WITHOUT ROWID;

CREATE INDEX probe_reply ON probe (reply);

CREATE TABLE newcomer (
    recipient BLOB PRIMARY KEY,
    first_at REAL NOT NULL,
    seen_at REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX newcomer_first ON newcomer (first_at);

CREATE TABLE known (
    subject BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE growth (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    cap INTEGER NOT NULL,
    day INTEGER NOT NULL,
    drip_cap INTEGER,
    drip_at REAL,
    real_at REAL,
    real_week INTEGER NOT NULL
) STRICT;

CREATE TABLE alarm (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    at REAL NOT NULL,
    lease_until REAL,
    told_at REAL
) STRICT;

CREATE INDEX alarm_untold ON alarm (id) WHERE told_at IS NULL;

-- What is counted as it happens; a day in UTC, from the epoch.
CREATE TABLE day (
    day INTEGER PRIMARY KEY,
    wanted INTEGER NOT NULL DEFAULT 0,
    granted INTEGER NOT NULL DEFAULT 0,
    newcomers INTEGER NOT NULL DEFAULT 0,
    complaints INTEGER NOT NULL DEFAULT 0
) STRICT;
