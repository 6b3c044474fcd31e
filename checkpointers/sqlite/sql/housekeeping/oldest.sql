-- The oldest checkpoints before a commit, but never the newest of all.
--
-- ?1 chain, ?2 commit, ?3 at most so many, ?4 which ones to spare, as JSON
SELECT seq FROM graphrt_checkpoints
WHERE
    chain = ?1 AND seq < ?2 AND seq < (SELECT max(seq) FROM graphrt_checkpoints WHERE chain = ?1)
    AND seq NOT IN (SELECT value FROM json_each(?4))
ORDER BY seq LIMIT ?3
