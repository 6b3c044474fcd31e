-- Where a thread stands, and nobody else moves it until this transaction ends. $1 thread_id, $2 namespace
SELECT t.chain, t.seq, t.head
FROM {schema}.threads AS t
WHERE t.thread_id = $1 AND t.namespace = $2
FOR NO KEY UPDATE
