SELECT id, namespace, key, value, created, updated, ttl FROM {schema}.store
WHERE namespace = $1 AND key = $2 AND (ends IS NULL OR ends > $3)
