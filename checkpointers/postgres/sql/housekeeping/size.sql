-- Bytes of the tables on disk, with indexes and with large values kept apart. $1 the schema's name
SELECT coalesce(sum(pg_catalog.pg_total_relation_size(r.oid)), 0)::bigint AS bytes
FROM pg_catalog.pg_class AS r
JOIN pg_catalog.pg_namespace AS n ON n.oid = r.relnamespace
WHERE n.nspname = $1 AND r.relname IN ('threads', 'checkpoints', 'results', 'segments')
