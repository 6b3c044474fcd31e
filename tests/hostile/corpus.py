"""Strings that end up in a query, a path or a pattern, each of which has hurt somebody's store."""

KINDS = {
    # Statements that end early. The one with json_extract is how LangGraph's SQLite saver was broken into.
    "sql": (
        "' OR '1'='1", "' OR 1=1 --", '" OR ""="', "'; DROP TABLE threads; --", "'); DELETE FROM checkpoints; --",
        "x' UNION SELECT * FROM checkpoints --", "\\'; SELECT pg_sleep(9) --", "1; DELETE FROM segments",
        "$$; DROP TABLE x; $$", "source') = 'input' OR ('1'='1", "a' || (SELECT 1) || '", "/* */ OR /* */ 1=1",
        "user') IS NOT NULL OR json_extract(metadata, '$.user", "`; --", "];--", "E'\\\\'",
    ),
    # Wildcards of LIKE, GLOB, regular expressions and search engines.
    "patterns": (
        "%", "_", "%%", "vic%", "victi_", "*", "?", ".*", "^", "[a-z]*", "\\", "victim|other", "@user:{*}",
        "-@x:{*} | *",
    ),
    # What a template or a driver fills in.
    "placeholders": (
        "?1", ":a", "$1", "%s", "%(a)s", "{}", "{0}", "{thread_id}", "%n", "${x}", "@p1", "$.user", "$", "user.name",
        "a[0]",
    ),
    # What is taken for something else: another case, a number, nothing, a neighbour.
    "texts": (
        "", " ", "victim ", " victim", "VICTIM", "victim\n", "vict\u0131m", "e\u0301", "\u00e9", "\u202emitciv",
        "\ufeffvictim", "NULL", "null", "true", "0", "00", "-1", "1e9", "1.0", "''", '"', "\t\r\n", "\U0001f600",
        "__sealed", "|", ":", "victim|", "victim:", "x" * 2_000,
    ),
    # What a database may refuse; then it must say so with a typed error.
    "refusable": ("victim\0", "\0", "a\0b", "\ud800", "victim\udfff"),
}  # fmt: skip

ALL = tuple(text for texts in KINDS.values() for text in texts)
