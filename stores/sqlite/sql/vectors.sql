SELECT s.id, v.vector
FROM graphrt_store AS s JOIN graphrt_store_vectors AS v ON v.item = s.id
WHERE s.namespace >= ?1 AND s.namespace < ?2 AND (s.ends IS NULL OR s.ends > ?3) AND length(v.vector) = ?4
