DELETE FROM graphrt_threads WHERE chain = ?1
