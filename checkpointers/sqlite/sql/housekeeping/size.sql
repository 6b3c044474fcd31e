SELECT coalesce(length(data), 0) + coalesce(length(parts), 0) FROM graphrt_segments
WHERE chain = ?1 AND channel = ?2 AND seq = ?3
