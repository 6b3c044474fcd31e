SELECT data FROM graphrt_results WHERE chain = ? AND seq = ?
