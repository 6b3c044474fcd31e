-- The namespaces of a thread: number of the chain, of its oldest and of its newest checkpoint, and the id of that one.
--
-- ?1 thread, ?2 after this namespace (NULL: from the first), ?3 at most so many
SELECT
    t.chain, t.namespace, (SELECT min(o.seq) FROM graphrt_checkpoints AS o WHERE o.chain = t.chain), c.seq, c.id
FROM graphrt_threads AS t
JOIN graphrt_checkpoints AS c
    ON c.chain = t.chain AND c.seq = (SELECT max(n.seq) FROM graphrt_checkpoints AS n WHERE n.chain = t.chain)
WHERE t.thread_id = ?1 AND (?2 IS NULL OR t.namespace > ?2)
ORDER BY t.namespace LIMIT ?3
