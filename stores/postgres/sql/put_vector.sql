INSERT INTO {schema}.store_vectors (item, number, vector) VALUES ($1, $2, $3)
