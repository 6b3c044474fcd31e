-- With sqlite-vec. A vector of zeros has no direction; it is as near as what stands at a right angle.
SELECT s.id, 1 - min(coalesce(vec_distance_cosine(v.vector, ?5), 1.0))
FROM graphrt_store AS s JOIN graphrt_store_vectors AS v ON v.item = s.id
WHERE s.namespace >= ?1 AND s.namespace < ?2 AND (s.ends IS NULL OR s.ends > ?3) AND length(v.vector) = ?4
GROUP BY s.id
