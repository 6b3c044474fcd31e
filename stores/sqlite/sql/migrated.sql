INSERT INTO graphrt_store_migrations VALUES (?1)
