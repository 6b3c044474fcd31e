DELETE FROM graphrt_segments WHERE chain = ?1 AND channel = ?2 AND seq = ?3
