-- From one namespace to the next through the index, however many items each has; those that hold only what is over are
-- left out.
WITH RECURSIVE spaces (namespace) AS (
    SELECT min(namespace) FROM graphrt_store WHERE namespace >= ?1 AND namespace < ?2
    UNION ALL
    SELECT (SELECT min(s.namespace) FROM graphrt_store AS s WHERE s.namespace > spaces.namespace AND s.namespace < ?2)
    FROM spaces WHERE spaces.namespace IS NOT NULL
)
SELECT namespace FROM spaces
WHERE namespace IS NOT NULL AND EXISTS (
    SELECT 1 FROM graphrt_store AS s WHERE s.namespace = spaces.namespace AND (s.ends IS NULL OR s.ends > ?3)
)
