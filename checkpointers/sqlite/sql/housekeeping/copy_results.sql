INSERT INTO graphrt_results (chain, seq, path, failed, data)
SELECT ?2, seq, path, failed, data FROM graphrt_results WHERE chain = ?1
