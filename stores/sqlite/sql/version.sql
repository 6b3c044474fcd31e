SELECT coalesce(max(version), 0) FROM graphrt_store_migrations
