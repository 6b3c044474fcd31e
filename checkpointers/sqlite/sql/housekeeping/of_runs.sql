-- ?1 run ids, as JSON
SELECT chain, seq FROM graphrt_checkpoints
WHERE
    CASE WHEN json_valid(metadata) THEN json_type(metadata, '$.run_id') = 'text' END
    AND json_extract(metadata, '$.run_id') IN (SELECT value FROM json_each(?1))
