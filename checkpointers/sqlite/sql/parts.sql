SELECT parts FROM graphrt_segments WHERE chain = ? AND channel = ? AND seq >= ? ORDER BY seq
