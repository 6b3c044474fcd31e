SELECT chain, namespace, head FROM graphrt_threads WHERE thread_id = ?1 ORDER BY namespace
