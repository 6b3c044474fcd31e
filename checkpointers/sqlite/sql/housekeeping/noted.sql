-- What was stored whole in a channel. ?1 chains, as JSON, ?2 channel
SELECT s.chain, s.data
FROM json_each(?1) AS w JOIN graphrt_segments AS s ON s.chain = w.value AND s.channel = ?2
WHERE s.whole AND s.data IS NOT NULL
