SELECT coalesce(max(m.version), 0) AS version FROM {schema}.migrations AS m
