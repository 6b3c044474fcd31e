-- From one namespace to the next through the index, however many items each has; those that hold only what is over are
-- left out.
WITH RECURSIVE spaces (namespace) AS (
    SELECT min(namespace) FROM {schema}.store WHERE namespace >= $1 AND namespace < $2
    UNION ALL
    SELECT (SELECT min(s.namespace) FROM {schema}.store AS s WHERE s.namespace > n.namespace AND s.namespace < $2)
    FROM spaces AS n WHERE n.namespace IS NOT NULL
)
SELECT n.namespace FROM spaces AS n
WHERE n.namespace IS NOT NULL AND EXISTS (
    SELECT FROM {schema}.store AS s WHERE s.namespace = n.namespace AND (s.ends IS NULL OR s.ends > $3)
)
