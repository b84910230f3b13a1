-- The last run of each periodic task.
CREATE TABLE run (
    task TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    started_at REAL NOT NULL,
    ended_at REAL NOT NULL,
    done INTEGER NOT NULL,
    succeeded_at REAL,
    failed_at REAL,
    error TEXT NOT NULL -- of the last run that failed
) STRICT, WITHOUT ROWID;

-- With the form, so that inquiries are counted by state and form in the index alone; it changes with the state anyway.
DROP INDEX inquiry_state_newest;
CREATE INDEX inquiry_state_newest ON inquiry (state, received_at, id, form);
