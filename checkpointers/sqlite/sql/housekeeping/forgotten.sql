-- How many of these checkpoints there are, and the bytes of their results.
SELECT
    count(*),
    coalesce(sum(length(results)), 0) + coalesce((
        SELECT sum(length(data)) FROM graphrt_results
        WHERE chain = ?1 AND seq IN (SELECT value FROM json_each(?2))
    ), 0)
FROM graphrt_checkpoints WHERE chain = ?1 AND seq IN (SELECT value FROM json_each(?2))
