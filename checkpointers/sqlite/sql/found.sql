SELECT c.seq, c.id, p.id, c.version, c.step, c.source, c.next, c.ran, c.metadata, c.start, c.earlier
FROM graphrt_checkpoints AS c
LEFT JOIN graphrt_checkpoints AS p ON p.chain = c.chain AND p.seq = coalesce(c.parent, c.seq - 1)
WHERE c.chain = ? AND c.seq = ?
