DELETE FROM graphrt_store WHERE namespace = ?1 AND key = ?2
