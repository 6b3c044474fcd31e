-- A thread in a namespace is a chain of checkpoints, and a chain is a number everywhere else. All that grows with the
-- number of commits is kept narrow: no text is repeated, ids are 16 bytes, and there is no index that only rare
-- questions would use.

CREATE TABLE {schema}.migrations (
    version    integer     PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
);

-- One row per thread and namespace; commits meet here. The free space in its pages keeps the updates out of indexes.
CREATE TABLE {schema}.threads (
    chain     bigint           GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    thread_id text COLLATE "C" NOT NULL,
    namespace text COLLATE "C" NOT NULL,
    head      bytea            NOT NULL, -- id of the newest checkpoint
    seq       integer          NOT NULL, -- commits so far; never goes back
    channels  text[]           NOT NULL, -- segments know a channel by its place here, counted from 1
    UNIQUE (thread_id, namespace)
) WITH (fillfactor = 70);

CREATE TABLE {schema}.checkpoints (
    chain    bigint  NOT NULL REFERENCES {schema}.threads ON DELETE CASCADE,
    version  bigint,           -- NULL: as seq
    step     bigint,           -- NULL: version - 2, what it is where nobody has edited the thread
    seq      integer NOT NULL, -- number of the commit
    start    integer NOT NULL, -- first commit since the last fork
    parent   integer,          -- seq of the checkpoint it was made from, 0 for none; NULL: seq - 1
    source   "char"  NOT NULL, -- i(nput), l(oop), u(pdate), f(ork)
    id       bytea   NOT NULL,
    next     text,             -- names of nodes, as JSON; NULL for none
    ran      text,
    metadata json,             -- as text, so that numbers keep their types; NULL for none
    results  bytea,            -- of the parent's tasks, as far as they came with this commit
    earlier  integer[],        -- commits before the last fork that it descends from: low, high, low, high, newest first
    PRIMARY KEY (chain, seq)
);

-- Children that do not follow their parents.
CREATE INDEX checkpoints_forks ON {schema}.checkpoints (chain, parent) WHERE parent IS NOT NULL;

-- What tasks of the step that starts from a checkpoint have come to before that step is committed.
CREATE TABLE {schema}.results (
    chain  bigint  NOT NULL REFERENCES {schema}.threads ON DELETE CASCADE,
    seq    integer NOT NULL, -- the checkpoint
    failed boolean NOT NULL, -- it is an error, and gives way to a result
    task   bytea   NOT NULL, -- digest of the task's path
    data   bytea   NOT NULL,
    PRIMARY KEY (chain, seq, task)
);

-- How a channel's rows are read and merged: checkpointers/segments.py. A row without parts, or with data, starts the
-- channel anew.
CREATE TABLE {schema}.segments (
    chain   bigint   NOT NULL REFERENCES {schema}.threads ON DELETE CASCADE,
    seq     integer  NOT NULL,
    channel smallint NOT NULL,
    data    bytea,
    parts   bytea,
    PRIMARY KEY (chain, channel, seq)
);

INSERT INTO {schema}.migrations (version) VALUES (1);
