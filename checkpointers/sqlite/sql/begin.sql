INSERT INTO graphrt_threads (thread_id, namespace, head, tip, seq, start) VALUES (?, ?, ?, 1, 1, 1)
