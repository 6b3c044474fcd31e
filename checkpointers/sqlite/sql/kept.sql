-- Results that were appended to some checkpoints. ?1 chain, ?2 the checkpoints, as JSON
SELECT seq, data FROM graphrt_results WHERE chain = ?1 AND seq IN (SELECT value FROM json_each(?2))
