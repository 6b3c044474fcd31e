INSERT INTO graphrt_threads (thread_id, namespace, head, tip, seq, start, earlier)
SELECT ?2, namespace, head, tip, seq, start, earlier FROM graphrt_threads WHERE chain = ?1
