SELECT id, namespace, key, value, created, updated, ttl FROM graphrt_store WHERE id = ?1
