-- ?1 first name, ?2 whether that one is left out, ?3 the name that ends the list (NULL: none), ?4 at most so many
SELECT DISTINCT thread_id FROM graphrt_threads
WHERE thread_id >= ?1 AND (thread_id > ?1 OR NOT ?2) AND (?3 IS NULL OR thread_id < ?3)
ORDER BY thread_id LIMIT ?4
