-- Copies a thread, all of it as it is at one moment. $1 thread_id, $2 the copy's
WITH old AS MATERIALIZED (
    SELECT t.chain, t.namespace, t.head, t.seq, t.channels FROM {schema}.threads AS t WHERE t.thread_id = $1
), new AS (
    INSERT INTO {schema}.threads (thread_id, namespace, head, seq, channels)
    SELECT $2, o.namespace, o.head, o.seq, o.channels FROM old AS o
    RETURNING chain, namespace
), pair AS MATERIALIZED (
    SELECT o.chain AS source, n.chain AS target FROM old AS o JOIN new AS n ON n.namespace = o.namespace
), checkpoint AS (
    INSERT INTO {schema}.checkpoints
        (chain, seq, start, earlier, parent, id, version, step, source, next, ran, metadata, results)
    SELECT
        p.target, c.seq, c.start, c.earlier, c.parent, c.id, c.version, c.step, c.source, c.next, c.ran, c.metadata,
        c.results
    FROM pair AS p JOIN {schema}.checkpoints AS c ON c.chain = p.source
    RETURNING seq
), result AS (
    INSERT INTO {schema}.results (chain, seq, failed, task, data)
    SELECT p.target, r.seq, r.failed, r.task, r.data
    FROM pair AS p JOIN {schema}.results AS r ON r.chain = p.source
), segment AS (
    INSERT INTO {schema}.segments (chain, seq, channel, data, parts)
    SELECT p.target, s.seq, s.channel, s.data, s.parts
    FROM pair AS p JOIN {schema}.segments AS s ON s.chain = p.source
)
SELECT count(*) AS checkpoints FROM checkpoint
