-- The head is the newest checkpoint that is left; a chain without any goes. $1 chain
WITH newest AS (
    SELECT c.id FROM {schema}.checkpoints AS c WHERE c.chain = $1 ORDER BY c.seq DESC LIMIT 1
), moved AS (
    UPDATE {schema}.threads AS t SET head = n.id FROM newest AS n WHERE t.chain = $1 AND t.head <> n.id
)
DELETE FROM {schema}.threads AS t WHERE t.chain = $1 AND NOT EXISTS (SELECT FROM newest)
