-- How much there is in some chains. $1 chains
SELECT
    (SELECT count(*) FROM {schema}.checkpoints AS c WHERE c.chain = ANY ($1::bigint[])) AS checkpoints,
    coalesce((
        SELECT sum(octet_length(c.results)) FROM {schema}.checkpoints AS c WHERE c.chain = ANY ($1::bigint[])
    ), 0) + coalesce((
        SELECT sum(octet_length(r.data)) FROM {schema}.results AS r WHERE r.chain = ANY ($1::bigint[])
    ), 0) + coalesce((
        SELECT sum(coalesce(octet_length(s.data), 0) + coalesce(octet_length(s.parts), 0))
        FROM {schema}.segments AS s WHERE s.chain = ANY ($1::bigint[])
    ), 0) AS bytes
