DELETE FROM graphrt_store_vectors WHERE item = (SELECT id FROM graphrt_store WHERE namespace = ?1 AND key = ?2)
