-- Below a namespace, what has no vector that could be compared, the last put first.
SELECT s.id, s.namespace, s.key, s.value, s.created, s.updated, s.ttl FROM {schema}.store AS s
WHERE s.namespace >= $1 AND s.namespace < $2 AND (s.ends IS NULL OR s.ends > $3) AND NOT EXISTS (
    SELECT FROM {schema}.store_vectors AS v WHERE v.item = s.id AND cardinality(v.vector) = $4
)
ORDER BY s.updated DESC, s.namespace, s.key
