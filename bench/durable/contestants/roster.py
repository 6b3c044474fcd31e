"""Who takes part, in the order of the rounds. Knows names only: a rival is imported in its own process."""

from bench.contestants.roster import Entry


def _entry(name: str, environment: str | None) -> Entry:
    module = "bench.durable.contestants." + name.replace("-", "_").replace("+", "_")
    return Entry(name=name, module=module, environment=environment, import_line="")


ROSTER: tuple[Entry, ...] = (
    _entry("floor", None),
    _entry("floor+transaction", None),
    _entry("graphrt", None),
    _entry("langgraph", "langgraph-savers"),
    _entry("fast-langgraph", "fast-langgraph"),
)

BY_NAME = {entry.name: entry for entry in ROSTER}
