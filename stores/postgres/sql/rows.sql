SELECT id, namespace, key, value, created, updated, ttl FROM {schema}.store WHERE id = ANY ($1::bigint[])
