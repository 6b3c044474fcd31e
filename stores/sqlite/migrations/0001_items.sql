CREATE TABLE graphrt_store_migrations (
    version INTEGER PRIMARY KEY
);

-- Moments are microseconds since 1970.
CREATE TABLE graphrt_store (
    id        INTEGER PRIMARY KEY,
    namespace TEXT    NOT NULL, -- its labels, U+0001 before the first and behind each
    key       TEXT    NOT NULL,
    value     TEXT    NOT NULL, -- as JSON
    created   INTEGER NOT NULL,
    updated   INTEGER NOT NULL,
    ttl       REAL,             -- minutes; NULL: for ever
    ends      INTEGER,          -- it is over from then on
    UNIQUE (namespace, key)
);

CREATE INDEX graphrt_store_ends ON graphrt_store (ends) WHERE ends IS NOT NULL;

-- Directions of what was embedded of an item: vectors of length 1, as 32-bit floats, least significant byte first.
CREATE TABLE graphrt_store_vectors (
    item   INTEGER NOT NULL REFERENCES graphrt_store ON DELETE CASCADE,
    number INTEGER NOT NULL,
    vector BLOB    NOT NULL,
    PRIMARY KEY (item, number)
);
