SELECT seq FROM graphrt_checkpoints WHERE chain = ? AND id = ? LIMIT 1
