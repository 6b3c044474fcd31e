SELECT item AS id, vector FROM {schema}.store_vectors WHERE item = ANY ($1::bigint[]) AND cardinality(vector) = $2
