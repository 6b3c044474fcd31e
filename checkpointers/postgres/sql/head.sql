-- $1 thread_id, $2 namespace
SELECT t.head FROM {schema}.threads AS t WHERE t.thread_id = $1 AND t.namespace = $2
