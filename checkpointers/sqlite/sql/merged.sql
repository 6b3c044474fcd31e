DELETE FROM graphrt_segments WHERE chain = ? AND channel = ? AND seq > ?
