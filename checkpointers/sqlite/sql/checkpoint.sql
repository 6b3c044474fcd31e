INSERT INTO graphrt_checkpoints
    (chain, seq, parent, start, earlier, version, id, step, source, next, ran, metadata, results)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
