-- The oldest checkpoints before a commit, but never the newest of all.
SELECT seq FROM graphrt_checkpoints
WHERE chain = ?1 AND seq < ?2 AND seq < (SELECT max(seq) FROM graphrt_checkpoints WHERE chain = ?1)
ORDER BY seq LIMIT ?3
