SELECT chain FROM graphrt_threads ORDER BY chain
