INSERT INTO graphrt_threads (thread_id, namespace) VALUES (?, ?)
