-- Unless somebody has put the item for ever meanwhile, or its time was over. Who is writing it at the moment says
-- himself when it ends, and nobody who reads waits for him.
WITH given AS (
    SELECT * FROM unnest($1::bigint[], $2::bigint[]) AS g (id, ends)
), free AS (
    SELECT s.id, g.ends FROM {schema}.store AS s JOIN given AS g ON g.id = s.id
    WHERE s.ends > $3 FOR UPDATE OF s SKIP LOCKED
)
UPDATE {schema}.store AS s SET ends = free.ends FROM free WHERE s.id = free.id
