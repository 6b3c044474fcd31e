UPDATE graphrt_checkpoints SET results = NULL WHERE chain = ?1 AND seq = ?2
