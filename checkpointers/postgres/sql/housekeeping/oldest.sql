-- The oldest checkpoints before a commit, but never the newest of all.
--
-- $1 chain, $2 commit, $3 at most so many, $4 which ones to spare
SELECT c.seq
FROM {schema}.checkpoints AS c
WHERE
    c.chain = $1 AND c.seq < $2 AND c.seq <> ALL ($4::integer[])
    AND c.seq < (SELECT n.seq FROM {schema}.checkpoints AS n WHERE n.chain = $1 ORDER BY n.seq DESC LIMIT 1)
ORDER BY c.seq
LIMIT $3
