-- The next channel's name: one step in the index, however many rows a channel has.
SELECT channel FROM graphrt_segments WHERE chain = ? AND channel >= ? ORDER BY channel LIMIT 1
