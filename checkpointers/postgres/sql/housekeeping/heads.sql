-- Where a thread stands in each namespace; nobody else moves it until this transaction ends. $1 thread_id
SELECT t.chain, t.head FROM {schema}.threads AS t WHERE t.thread_id = $1 FOR UPDATE
