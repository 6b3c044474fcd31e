UPDATE graphrt_segments SET parts = ?4 WHERE chain = ?1 AND channel = ?2 AND seq = ?3
