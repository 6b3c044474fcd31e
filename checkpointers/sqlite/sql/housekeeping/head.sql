SELECT seq, id, coalesce(start, 1), earlier FROM graphrt_checkpoints WHERE chain = ?1 ORDER BY seq DESC LIMIT 1
