"""How Postgres compares vectors: with pgvector, through an index of its kinds or not, if the database has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, TypedDict, get_args

from msgspec import Struct

from checkpointers.postgres.pool import Connection
from checkpointers.postgres.statements import quoted
from graphrt.errors import GraphValidationError, StorageSchemaError, did_you_mean
from graphrt.store.ops import IndexConfig
from stores.postgres.statements import PGVECTOR, Statements, placed
from stores.vectors import Distance

__all__ = [
    "ANNIndexConfig",
    "HNSWConfig",
    "IVFFlatConfig",
    "PgVector",
    "PostgresIndexConfig",
    "Ways",
    "pgvector_in",
    "ways_of",
]

Kind = Literal["flat", "hnsw", "ivfflat"]
VectorType = Literal["vector", "halfvec"]


class ANNIndexConfig(TypedDict, total=False):
    """An index that finds what is near without looking at everything, and may miss some of it.

    Keys:
        kind: "flat" is none: every vector below the namespace is compared. The default.
        vector_type: "halfvec" makes the index half as large.
    """

    kind: Kind
    vector_type: VectorType


class HNSWConfig(ANNIndexConfig, total=False):
    """A graph of neighbours.

    Keys:
        m: neighbours of each vector; pgvector's default is 16.
        ef_construction: candidates that are looked at to find them; pgvector's default is 64.
    """

    m: int
    ef_construction: int


class IVFFlatConfig(ANNIndexConfig, total=False):
    """Lists of vectors that are near each other; make it when most items are there.

    Keys:
        nlist: how many lists; pgvector's default is 100.
    """

    nlist: int


class PostgresIndexConfig(IndexConfig, total=False):
    """How items are found by meaning, in Postgres.

    Keys:
        ann_index_config: the index of pgvector that `setup` makes.
        distance_type: what nearness is. "cosine" is the default; with "l2" a score is the distance, negative.
    """

    ann_index_config: ANNIndexConfig | HNSWConfig | IVFFlatConfig
    distance_type: Distance


class PgVector(Struct, frozen=True):
    """pgvector, as the database has it."""

    schema: str
    version: tuple[int, ...]


_OPERATORS: Final[Mapping[Distance, str]] = {"cosine": "<=>", "l2": "<->", "inner_product": "<#>"}
_OPTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "flat": {},
    "hnsw": {"m": "m", "ef_construction": "ef_construction"},
    "ivfflat": {"nlist": "lists"},
}
_LOOKS_AT: Final = 40
_LOOKS_AT_MOST: Final = 1_000
_ITERATIVE: Final = (0, 8)
"""The version of pgvector that goes on when what an index found is not below the namespace."""


class Ways(Struct, frozen=True):
    """What is set about comparing vectors."""

    distance: Distance
    dims: int
    kind: Kind
    type: VectorType
    options: Mapping[str, int]

    def near(self, schema: str, pgvector: PgVector) -> str:
        """The statement that finds what is near."""
        return self._placed("near" if self.kind == "flat" else "near_indexed", schema, pgvector)

    def settings(self, pgvector: PgVector, most: int) -> list[tuple[str, str]]:
        """With what an index is searched, so that it finds so many if they are there."""
        found: list[tuple[str, str]] = []
        if self.kind == "hnsw" and most > _LOOKS_AT:
            found.append(("hnsw.ef_search", str(min(most, _LOOKS_AT_MOST))))
        if self.kind != "flat" and pgvector.version >= _ITERATIVE:
            order = "strict_order" if self.kind == "hnsw" else "relaxed_order"
            found.append((f"{self.kind}.iterative_scan", order))
        return found

    async def make_index(self, connection: Connection, schema: str, sql: Statements) -> None:
        """Make the index that was asked for, if it is not there.

        Raises:
            StorageSchemaError: the database has no pgvector.
        """
        if self.kind == "flat":
            return
        pgvector = await pgvector_in(connection, sql)
        if pgvector is None:
            raise StorageSchemaError(
                f"An index of kind {self.kind!r} needs pgvector, which this database does not have. Run CREATE "
                "EXTENSION vector as a user who may, or leave ann_index_config out: vectors are compared without it."
            )
        await connection.execute(self._placed("index", schema, pgvector))

    def _placed(self, name: str, schema: str, pgvector: PgVector) -> str:
        names = {
            "vector": quoted(pgvector.schema), "type": self.type, "dims": str(self.dims), "kind": self.kind,
            "operator": _OPERATORS[self.distance], "distance": _SUFFIXES[self.distance],
            "name": f"store_near_{self.kind}_{self.distance}_{self.type}_{self.dims}",
            "options": ", ".join(f"{option} = {value}" for option, value in self.options.items()),
        }  # fmt: skip
        text = PGVECTOR[name].replace(" WITH ({options})", "") if not self.options else PGVECTOR[name]
        for word, value in names.items():
            text = text.replace("{" + word + "}", value)
        return placed(text, schema)


_SUFFIXES: Final[Mapping[Distance, str]] = {"cosine": "cosine", "l2": "l2", "inner_product": "ip"}


async def pgvector_in(connection: Connection, sql: Statements) -> PgVector | None:
    """pgvector, if the database has it."""
    row = await connection.fetchrow(sql.extension)
    if row is None:
        return None
    numbers = [part for part in row["version"].split(".") if part.isdecimal()]
    return PgVector(row["schema"], tuple(map(int, numbers)))


def ways_of(config: Mapping[str, Any] | None) -> Ways | None:
    """What a config says about comparing vectors; None without a config.

    Raises:
        GraphValidationError: a word that there is not.
    """
    if config is None:
        return None
    ann: Mapping[str, Any] = config.get("ann_index_config") or {}
    distance = _word(config.get("distance_type", "cosine"), get_args(Distance), "distance_type")
    kind = _word(ann.get("kind", "flat"), get_args(Kind), "kind of index")
    type = _word(ann.get("vector_type", "vector"), get_args(VectorType), "vector_type")
    known = _OPTIONS[kind]
    options: dict[str, int] = {}
    for name, value in ann.items():
        if name in ("kind", "vector_type"):
            continue
        if name not in known or not isinstance(value, int):
            raise GraphValidationError(
                f"An index of kind {kind!r} has no {name}={value!r}.{did_you_mean(name, known)}"
            )
        options[known[name]] = value
    return Ways(distance, int(config["dims"]), kind, type, options)


def _word(given: Any, known: tuple[Any, ...], what: str) -> Any:
    if given not in known:
        raise GraphValidationError(f"There is no {what} {given!r}.{did_you_mean(given, known)}")
    return given
