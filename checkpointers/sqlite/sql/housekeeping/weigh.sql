-- How much there is in a chain: checkpoints, rows, bytes.
SELECT c.number, s.number, c.size + s.size + coalesce((
    SELECT sum(length(data)) FROM graphrt_results WHERE chain = ?1
), 0)
FROM (
    SELECT count(*) AS number, coalesce(sum(length(results)), 0) AS size FROM graphrt_checkpoints WHERE chain = ?1
) AS c, (
    SELECT count(*) AS number, coalesce(sum(coalesce(length(data), 0) + coalesce(length(parts), 0)), 0) AS size
    FROM graphrt_segments WHERE chain = ?1
) AS s
