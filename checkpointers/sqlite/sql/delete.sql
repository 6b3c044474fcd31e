DELETE FROM graphrt_threads WHERE thread_id = ?
