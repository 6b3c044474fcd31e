-- Everything else goes with the row. $1 thread_id
DELETE FROM {schema}.threads AS t WHERE t.thread_id = $1
