-- Nobody commits to this chain until the transaction ends. $1 chain
SELECT t.chain FROM {schema}.threads AS t WHERE t.chain = $1 FOR NO KEY UPDATE
