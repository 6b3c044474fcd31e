INSERT INTO graphrt_segments (chain, channel, seq, whole, data, parts) VALUES (?, ?, ?, ?, ?, ?)
