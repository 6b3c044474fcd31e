-- What was stored whole in a channel. $1 chains, $2 name of the channel
SELECT s.chain, s.data
FROM {schema}.threads AS t
JOIN {schema}.segments AS s ON s.chain = t.chain AND s.channel = array_position(t.channels, $2::text)
WHERE t.chain = ANY ($1::bigint[]) AND s.data IS NOT NULL
