SELECT item, vector FROM graphrt_store_vectors WHERE item = ?1 AND length(vector) = ?2
