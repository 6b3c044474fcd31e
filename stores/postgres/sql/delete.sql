DELETE FROM {schema}.store AS s
USING unnest($1::text[], $2::text[]) AS g (namespace, key)
WHERE s.namespace = g.namespace AND s.key = g.key
