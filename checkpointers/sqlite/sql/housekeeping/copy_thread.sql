INSERT INTO graphrt_threads (thread_id, namespace, spent)
SELECT ?2, namespace, spent FROM graphrt_threads WHERE chain = ?1
