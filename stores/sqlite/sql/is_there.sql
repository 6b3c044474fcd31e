SELECT 1 FROM sqlite_master WHERE name = 'graphrt_store_migrations'
