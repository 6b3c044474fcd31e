SELECT id FROM graphrt_checkpoints WHERE chain = ?1 ORDER BY seq DESC LIMIT 1
