SELECT seq, start, earlier FROM graphrt_checkpoints WHERE chain = ? AND seq = ?
