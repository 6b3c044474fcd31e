-- A chain at one moment. $1 chain
SELECT t.seq AS last, cardinality(t.channels) AS channels, c.seq, c.start, c.earlier
FROM {schema}.threads AS t JOIN {schema}.checkpoints AS c ON c.chain = t.chain
WHERE t.chain = $1
