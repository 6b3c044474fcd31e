-- Numbers of checkpoints. ?1 chain, ?2 before this commit, ?3 ids in hexadecimal digits, as JSON
SELECT seq FROM graphrt_checkpoints
WHERE chain = ?1 AND seq < ?2 AND hex(id) IN (SELECT value FROM json_each(?3))
