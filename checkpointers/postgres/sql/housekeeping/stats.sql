SELECT
    (SELECT count(DISTINCT t.thread_id) FROM {schema}.threads AS t) AS threads,
    (SELECT count(*) FROM {schema}.checkpoints AS c) AS checkpoints,
    (SELECT count(*) FROM {schema}.segments AS s) AS segments,
    coalesce((SELECT sum(octet_length(c.results)) FROM {schema}.checkpoints AS c), 0)
    + coalesce((SELECT sum(octet_length(r.data)) FROM {schema}.results AS r), 0)
    + coalesce((
        SELECT sum(coalesce(octet_length(s.data), 0) + coalesce(octet_length(s.parts), 0))
        FROM {schema}.segments AS s
    ), 0) AS bytes
