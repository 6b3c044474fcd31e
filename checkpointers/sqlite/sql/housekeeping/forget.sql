DELETE FROM graphrt_checkpoints WHERE chain = ?1 AND seq IN (SELECT value FROM json_each(?2))
