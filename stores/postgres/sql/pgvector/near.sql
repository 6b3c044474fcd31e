-- A vector of zeros has no direction: pgvector says NaN, and it is as near as what stands at a right angle.
SELECT s.id, max(CASE $5
    WHEN 'cosine' THEN 1 - coalesce(nullif(
        v.vector::{vector}.vector OPERATOR({vector}.<=>) $6::real[]::{vector}.vector, 'NaN'), 1)
    WHEN 'l2' THEN -(v.vector::{vector}.vector OPERATOR({vector}.<->) $6::real[]::{vector}.vector)
    ELSE -(v.vector::{vector}.vector OPERATOR({vector}.<#>) $6::real[]::{vector}.vector)
END) AS near, count(*) AS vectors
FROM {schema}.store AS s JOIN {schema}.store_vectors AS v ON v.item = s.id
WHERE s.namespace >= $1 AND s.namespace < $2 AND (s.ends IS NULL OR s.ends > $3) AND cardinality(v.vector) = $4
GROUP BY s.id
ORDER BY near DESC, s.updated DESC, s.namespace, s.key
LIMIT $7
