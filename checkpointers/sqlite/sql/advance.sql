UPDATE graphrt_threads SET head = ?2, tip = ?3, seq = ?3, start = ?4, earlier = ?5 WHERE chain = ?1
