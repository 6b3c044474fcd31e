-- Newest first; whoever asks stops when there are enough.
--
-- ?1 chain, ?2 before this commit, ?3 only ids below this one, which is no text, ?4 source, ?5 step (NULL: all)
SELECT c.seq, c.id, p.id, c.version, c.step, c.source, c.next, c.ran, c.metadata, c.start, c.earlier
FROM graphrt_checkpoints AS c
LEFT JOIN graphrt_checkpoints AS p ON p.chain = c.chain AND p.seq = coalesce(c.parent, c.seq - 1)
WHERE
    c.chain = ?1 AND c.seq < ?2
    AND (?3 IS NULL OR length(c.id) <> 16 OR c.id < ?3)
    AND (?4 IS NULL OR c.source = ?4)
    AND (?5 IS NULL OR c.step = ?5)
ORDER BY c.seq DESC
