UPDATE graphrt_threads SET tip = ?2, head = ?3, start = ?4, earlier = ?5 WHERE chain = ?1
