-- $1 first name, $2 whether that one is left out, $3 at most so many
SELECT DISTINCT t.thread_id
FROM {schema}.threads AS t
WHERE t.thread_id >= $1 AND (t.thread_id > $1 OR NOT $2)
ORDER BY t.thread_id
LIMIT $3
