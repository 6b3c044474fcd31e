-- Everything else goes with the rows. $1 chains
DELETE FROM {schema}.threads AS t WHERE t.chain = ANY ($1::bigint[])
