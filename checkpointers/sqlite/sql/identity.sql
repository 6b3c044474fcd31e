SELECT id FROM graphrt_checkpoints WHERE chain = ? AND seq = ?
