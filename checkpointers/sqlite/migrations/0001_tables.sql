-- A thread in a namespace is a chain of checkpoints, and a chain is a number everywhere else. What grows with the
-- number of commits is kept narrow: no text is repeated, ids are 16 bytes, and no index serves only rare questions.

CREATE TABLE graphrt_migrations (
    version INTEGER PRIMARY KEY
);

-- One row per thread and namespace. Its head is the newest checkpoint of the chain; a commit does not touch this row.
CREATE TABLE graphrt_threads (
    chain     INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again: housekeeping comes back to it later
    thread_id TEXT    NOT NULL,
    namespace TEXT    NOT NULL,
    spent     INTEGER NOT NULL DEFAULT 0, -- commits up to this number may have been forgotten; none is used again
    UNIQUE (thread_id, namespace)
);

CREATE TABLE graphrt_checkpoints (
    chain    INTEGER NOT NULL REFERENCES graphrt_threads ON DELETE CASCADE,
    seq      INTEGER NOT NULL, -- number of the commit
    id       BLOB    NOT NULL,
    parent   INTEGER,          -- number of the checkpoint it was made from, 0 for none; NULL: seq - 1
    version  INTEGER,          -- NULL: as seq
    step     INTEGER NOT NULL,
    source   TEXT    NOT NULL, -- i(nput), l(oop), u(pdate), f(ork)
    next     TEXT,             -- names of nodes, as JSON; NULL for none
    ran      TEXT,
    metadata TEXT,             -- as JSON; NULL for none
    start    INTEGER,          -- of its line; NULL: 1
    earlier  TEXT,
    results  BLOB,             -- of the parent's tasks, as far as they came with this commit
    PRIMARY KEY (chain, seq)
) WITHOUT ROWID;

-- Children that do not follow their parents.
CREATE INDEX graphrt_forks ON graphrt_checkpoints (chain, parent) WHERE parent IS NOT NULL;

-- What tasks of the step that starts from a checkpoint have come to before that step is committed.
CREATE TABLE graphrt_results (
    chain  INTEGER NOT NULL,
    seq    INTEGER NOT NULL, -- the checkpoint
    path   TEXT    NOT NULL,
    failed INTEGER NOT NULL, -- it is an error, and gives way to a result
    data   BLOB    NOT NULL,
    PRIMARY KEY (chain, seq, path),
    FOREIGN KEY (chain, seq) REFERENCES graphrt_checkpoints ON DELETE CASCADE
) WITHOUT ROWID;

-- How a channel's rows are read and merged: checkpointers/segments.py. With rowids and an index, as rows grow large:
-- SQLite reads whole rows to compare the keys of a table without.
CREATE TABLE graphrt_segments (
    chain   INTEGER NOT NULL REFERENCES graphrt_threads ON DELETE CASCADE,
    channel TEXT    NOT NULL,
    seq     INTEGER NOT NULL,
    whole   INTEGER NOT NULL, -- the channel starts anew here, with data, or empty if that is NULL
    data    BLOB,
    parts   BLOB,
    PRIMARY KEY (chain, channel, seq)
);
