INSERT INTO graphrt_segments (chain, channel, seq, whole, data, parts)
SELECT ?2, channel, seq, whole, data, parts FROM graphrt_segments WHERE chain = ?1
