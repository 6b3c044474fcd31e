-- Unless somebody has put the item for ever meanwhile, or its time was over.
UPDATE graphrt_store SET ends = ?2 WHERE id = ?1 AND ends > ?3
