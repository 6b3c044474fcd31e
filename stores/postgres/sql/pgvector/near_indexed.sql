-- In the words of the index, or Postgres does not see that it fits. An index has no vectors of zeros.
SELECT n.item AS id, max(n.near) AS near, count(*) AS vectors FROM (
    SELECT v.item, -((v.vector::{vector}.{type}({dims})) OPERATOR({vector}.{operator}) $4::real[]::{vector}.{type}) AS near
    FROM {schema}.store_vectors AS v JOIN {schema}.store AS s ON s.id = v.item
    WHERE s.namespace >= $1 AND s.namespace < $2 AND (s.ends IS NULL OR s.ends > $3)
        AND cardinality(v.vector) = {dims}
    ORDER BY (v.vector::{vector}.{type}({dims})) OPERATOR({vector}.{operator}) $4::real[]::{vector}.{type}
    LIMIT $5
) AS n
GROUP BY n.item
ORDER BY near DESC
