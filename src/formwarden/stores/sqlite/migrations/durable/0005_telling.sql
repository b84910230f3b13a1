-- Inquiries whose mail went to the staff singly, by when they were given out last: of the last hour only (G24).
CREATE TABLE staff_slot (
    inquiry BLOB PRIMARY KEY,
    at REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX staff_slot_at ON staff_slot (at);

-- Of held inquiries the staff has no mail of: 0 told nowhere, 1 in the digest that is being sent, 2 in one that was.
ALTER TABLE inquiry ADD COLUMN listed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX inquiry_untold ON inquiry (listed, score, received_at) WHERE state = 'held' AND staff = 'none';
UPDATE inquiry SET listed = 2 WHERE state = 'held'; -- what was held before is no news

-- Mail that is sent again and again: digest, summary.
CREATE TABLE bulletin (
    name TEXT PRIMARY KEY,
    last REAL NOT NULL, -- for when it was sent last
    lease_until REAL NOT NULL
) STRICT, WITHOUT ROWID;
