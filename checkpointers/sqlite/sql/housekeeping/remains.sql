SELECT 1 FROM graphrt_checkpoints WHERE chain = ?1 LIMIT 1
