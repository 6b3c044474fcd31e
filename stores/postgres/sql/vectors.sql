SELECT s.id, v.vector
FROM {schema}.store AS s JOIN {schema}.store_vectors AS v ON v.item = s.id
WHERE s.namespace >= $1 AND s.namespace < $2 AND (s.ends IS NULL OR s.ends > $3) AND cardinality(v.vector) = $4
