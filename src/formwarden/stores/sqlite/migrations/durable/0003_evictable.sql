-- Inquiries of so many points that their bodies may be dropped when the store is full (G23): stores/eviction.py.
CREATE TABLE evictable (
    inquiry INTEGER PRIMARY KEY,
    turn INTEGER NOT NULL,
    score REAL NOT NULL, -- 0 where only numbers are left: the oldest go first
    cluster BLOB -- what near-duplicates have in common; NULL: nothing
) STRICT;

CREATE INDEX evictable_next ON evictable (turn, score DESC, inquiry);
CREATE INDEX evictable_cluster ON evictable (cluster, turn) WHERE cluster IS NOT NULL;

CREATE TRIGGER evictable_gone AFTER DELETE ON inquiry BEGIN
    DELETE FROM evictable WHERE inquiry = old.n;
END;

INSERT INTO evictable
SELECT n, iif(state = 'rejected', 0, 3), score, NULL FROM inquiry
WHERE score >= 8 AND EXISTS (SELECT 1 FROM body WHERE body.inquiry = n);

-- Replies that never took a slot are what anybody can make: they go before the others.
CREATE INDEX reply_without_slot ON reply (created_at) WHERE state IN ('suppressed', 'dropped');
