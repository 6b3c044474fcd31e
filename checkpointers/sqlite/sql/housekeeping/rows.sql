SELECT seq, whole, data IS NULL FROM graphrt_segments
WHERE chain = ?1 AND channel = ?2 AND seq < ?3 ORDER BY seq DESC LIMIT ?4
