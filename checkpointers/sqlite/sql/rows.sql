SELECT seq, whole, data, parts FROM graphrt_segments
WHERE chain = ? AND channel = ? AND seq BETWEEN ? AND ? ORDER BY seq DESC
