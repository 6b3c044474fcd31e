SELECT count(DISTINCT thread_id) FROM graphrt_threads
