-- ?1 chain, ?2 before this commit (NULL: from the newest), ?3 at most so many
SELECT seq, id FROM graphrt_checkpoints
WHERE chain = ?1 AND seq < coalesce(?2, 9223372036854775807) ORDER BY seq DESC LIMIT ?3
