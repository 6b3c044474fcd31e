-- Below a namespace, the last put first.
SELECT id FROM graphrt_store
WHERE namespace >= ?1 AND namespace < ?2 AND (ends IS NULL OR ends > ?3)
ORDER BY updated DESC, namespace, key
LIMIT ?4 OFFSET ?5
