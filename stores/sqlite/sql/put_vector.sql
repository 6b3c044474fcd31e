INSERT INTO graphrt_store_vectors (item, number, vector)
SELECT id, ?3, ?4 FROM graphrt_store WHERE namespace = ?1 AND key = ?2
