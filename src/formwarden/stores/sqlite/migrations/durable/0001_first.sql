-- Ledger and inquiries: what must not be lost. Times are seconds since the epoch.

CREATE TABLE inquiry (
    n INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    receipt TEXT NOT NULL,
    form TEXT NOT NULL,
    state TEXT NOT NULL,
    received_at REAL NOT NULL,
    changed_at REAL NOT NULL,
    lease_until REAL NOT NULL,
    score REAL NOT NULL,
    hits TEXT NOT NULL,
    evidence TEXT NOT NULL,
    facts TEXT NOT NULL,
    lineage BLOB,
    content_type TEXT NOT NULL,
    recipient TEXT,
    clear INTEGER NOT NULL, -- 1 while a body or a recipient stands here in clear
    staff TEXT NOT NULL,
    staff_note TEXT NOT NULL,
    staff_at REAL NOT NULL, -- not given out before: a lease, or a wait
    answer TEXT,
    note TEXT NOT NULL
) STRICT;

-- Apart, so that a change of state does not write a megabyte again.
CREATE TABLE body (
    inquiry INTEGER PRIMARY KEY,
    content BLOB NOT NULL
) STRICT;

CREATE INDEX inquiry_newest ON inquiry (received_at, id);
CREATE INDEX inquiry_state_newest ON inquiry (state, received_at, id);
CREATE INDEX inquiry_state_changed ON inquiry (state, changed_at);
CREATE INDEX inquiry_clear ON inquiry (state, changed_at) WHERE clear = 1;
CREATE INDEX inquiry_staff ON inquiry (received_at) WHERE staff = 'due';

-- Numbered, so that what belongs to one moment lies on few pages: pages written are what a reservation costs.
CREATE TABLE reply (
    n INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    submission BLOB NOT NULL,
    state TEXT NOT NULL,
    code TEXT NOT NULL,
    created_at REAL NOT NULL,
    held_until REAL,
    check_at REAL,
    due_at REAL,
    lease_until REAL,
    attempts INTEGER NOT NULL,
    last TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX reply_submission ON reply (submission);
CREATE INDEX reply_due ON reply (due_at) WHERE state = 'due';
CREATE INDEX reply_taken ON reply (lease_until) WHERE state = 'taken';
CREATE INDEX reply_held ON reply (held_until) WHERE state = 'held';
CREATE INDEX reply_check ON reply (check_at) WHERE state = 'held';

CREATE TABLE spend (
    key BLOB NOT NULL,
    at REAL NOT NULL,
    reply INTEGER NOT NULL,
    PRIMARY KEY (key, at, reply)
) STRICT, WITHOUT ROWID;

CREATE INDEX spend_reply ON spend (reply);

CREATE TABLE outcome (
    id BLOB PRIMARY KEY,
    reply BLOB NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    at REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX outcome_at ON outcome (at);

CREATE TABLE suppression (
    subject BLOB NOT NULL,
    cause TEXT NOT NULL,
    until REAL, -- NULL: without end
    PRIMARY KEY (subject, cause)
) STRICT, WITHOUT ROWID;

CREATE INDEX suppression_until ON suppression (until) WHERE until IS NOT NULL;

-- What became true once: feedback_seen.
CREATE TABLE mark (
    name TEXT PRIMARY KEY,
    at REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE recipient_key (
    n INTEGER PRIMARY KEY,
    key BLOB NOT NULL,
    made_at REAL NOT NULL
) STRICT;

CREATE TABLE lease (
    task TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    until REAL NOT NULL,
    seconds REAL NOT NULL
) STRICT, WITHOUT ROWID;
