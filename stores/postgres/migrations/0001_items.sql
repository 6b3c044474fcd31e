CREATE TABLE {schema}.store_migrations (
    version    integer     PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
);

-- Moments are microseconds since 1970, as the store's clock has them.
CREATE TABLE {schema}.store (
    id        bigint           GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    namespace text COLLATE "C" NOT NULL, -- its labels, U+0001 before the first and behind each
    key       text COLLATE "C" NOT NULL,
    value     json             NOT NULL, -- not jsonb, which has no NUL characters and other numbers
    created   bigint           NOT NULL,
    updated   bigint           NOT NULL,
    ttl       double precision, -- minutes; NULL: for ever
    ends      bigint,           -- it is over from then on
    UNIQUE (namespace, key)
);

CREATE INDEX store_ends ON {schema}.store (ends) WHERE ends IS NOT NULL;

-- What was embedded of an item. pgvector casts these arrays, so that it may come and go.
CREATE TABLE {schema}.store_vectors (
    item   bigint  NOT NULL REFERENCES {schema}.store ON DELETE CASCADE,
    number integer NOT NULL,
    vector real[]  NOT NULL,
    PRIMARY KEY (item, number)
);

INSERT INTO {schema}.store_migrations VALUES (1);
