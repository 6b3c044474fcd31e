-- The checkpoint at a place or, where checkpoints were forgotten, the next one after it.
SELECT seq, id FROM graphrt_checkpoints WHERE chain = ? AND seq >= ? ORDER BY seq LIMIT 1
