-- Who deletes begins here. What is not there yet is put as something that is over, so that all who write an address
-- meet at its row, in the one order that puts have, and wait in a queue and not for each other.
INSERT INTO {schema}.store AS s (namespace, key, value, created, updated, ends)
SELECT g.namespace, g.key, 'null', 0, 0, 0 FROM unnest($1::text[], $2::text[]) AS g (namespace, key)
ORDER BY g.namespace COLLATE "C", g.key COLLATE "C"
ON CONFLICT (namespace, key) DO UPDATE SET updated = s.updated WHERE false
