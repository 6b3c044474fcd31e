-- ?1 after this chain, ?2 of these threads, as JSON (NULL: of all), ?3 at most so many
SELECT chain FROM graphrt_threads
WHERE chain > ?1 AND (?2 IS NULL OR thread_id IN (SELECT value FROM json_each(?2)))
ORDER BY chain LIMIT ?3
