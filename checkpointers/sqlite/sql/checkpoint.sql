INSERT INTO graphrt_checkpoints
    (chain, seq, id, parent, version, step, source, next, ran, metadata, start, earlier, results)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
