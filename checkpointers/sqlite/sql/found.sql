SELECT seq, id, parent, version, step, source, next, ran, metadata, start, earlier
FROM graphrt_checkpoints WHERE chain = ? AND seq = ?
