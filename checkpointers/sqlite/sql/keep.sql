-- A result replaces an error of the same task; a result that is there stays.
INSERT INTO graphrt_results (chain, seq, path, failed, data) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (chain, seq, path) DO UPDATE SET failed = excluded.failed, data = excluded.data WHERE failed
