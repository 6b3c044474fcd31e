INSERT INTO graphrt_checkpoints
    (chain, seq, id, parent, version, step, source, next, ran, metadata, start, earlier, results)
SELECT ?2, seq, id, parent, version, step, source, next, ran, metadata, start, earlier, results
FROM graphrt_checkpoints WHERE chain = ?1
