SELECT chain, head, tip, seq, start, earlier FROM graphrt_threads WHERE thread_id = ? AND namespace = ?
