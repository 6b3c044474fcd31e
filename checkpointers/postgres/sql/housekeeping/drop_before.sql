-- $1 chain, $2 channel, $3 commit, $4 at most so many rows
WITH gone AS (
    DELETE FROM {schema}.segments AS s
    USING (
        SELECT r.seq
        FROM {schema}.segments AS r
        WHERE r.chain = $1 AND r.channel = $2 AND r.seq < $3
        ORDER BY r.seq
        LIMIT $4
    ) AS w
    WHERE s.chain = $1 AND s.channel = $2 AND s.seq = w.seq
    RETURNING coalesce(octet_length(s.data), 0) + coalesce(octet_length(s.parts), 0) AS size
)
SELECT count(*) AS rows, coalesce(sum(g.size), 0) AS bytes FROM gone AS g
