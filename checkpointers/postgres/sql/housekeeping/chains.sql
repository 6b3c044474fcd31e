-- $1 after this chain, $2 of these threads (NULL: of all), $3 at most so many
SELECT t.chain
FROM {schema}.threads AS t
WHERE t.chain > $1 AND ($2::text[] IS NULL OR t.thread_id = ANY ($2))
ORDER BY t.chain
LIMIT $3
