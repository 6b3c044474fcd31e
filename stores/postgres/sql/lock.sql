-- All who write several items begin here, in one order, so that they wait in a queue and not for each other.
SELECT FROM {schema}.store AS s
JOIN unnest($1::text[], $2::text[]) AS g (namespace, key) ON s.namespace = g.namespace AND s.key = g.key
ORDER BY s.namespace, s.key FOR UPDATE OF s
