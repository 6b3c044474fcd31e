-- Checkpoints made from these, with results that came for them.
SELECT seq, length(results) FROM graphrt_checkpoints
WHERE chain = ?1 AND seq IN (SELECT value + 1 FROM json_each(?2)) AND parent IS NULL AND results IS NOT NULL
UNION ALL
SELECT seq, length(results) FROM graphrt_checkpoints
WHERE
    chain = ?1 AND parent IN (SELECT value FROM json_each(?2)) AND parent IS NOT NULL AND results IS NOT NULL
