-- Results that came with the commits made from a checkpoint, in the order of those.
SELECT id, results FROM graphrt_checkpoints
WHERE chain = ?1 AND seq = ?2 + 1 AND parent IS NULL AND results IS NOT NULL
UNION ALL
SELECT id, results FROM (
    SELECT id, results FROM graphrt_checkpoints
    WHERE chain = ?1 AND parent = ?2 AND parent IS NOT NULL AND results IS NOT NULL ORDER BY seq
)
