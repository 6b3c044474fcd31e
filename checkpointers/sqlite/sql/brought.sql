-- Results that came with the commits made from some checkpoints, in the order of those commits. ?1 chain, ?2 the
-- checkpoints, as JSON
SELECT seq - 1, seq, id, results FROM graphrt_checkpoints
WHERE chain = ?1 AND seq IN (SELECT value + 1 FROM json_each(?2)) AND parent IS NULL AND results IS NOT NULL
UNION ALL
SELECT parent, seq, id, results FROM graphrt_checkpoints
WHERE
    chain = ?1 AND parent IN (SELECT value FROM json_each(?2)) AND parent IS NOT NULL AND results IS NOT NULL
ORDER BY 2
