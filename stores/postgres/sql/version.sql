SELECT coalesce(max(m.version), 0) AS version FROM {schema}.store_migrations AS m
