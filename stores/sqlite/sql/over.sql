DELETE FROM graphrt_store
WHERE id IN (SELECT id FROM graphrt_store WHERE ends IS NOT NULL AND ends <= ?1 LIMIT ?2)
