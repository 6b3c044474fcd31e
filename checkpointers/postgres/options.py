"""What can be set about a PostgresSaver, by keyword or in its URL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from msgspec import Struct, ValidationError, convert
from msgspec.structs import fields

from checkpointers.postgres.statements import quoted
from graphrt.errors import GraphValidationError, did_you_mean

__all__ = ["Options", "options_of", "read_url"]

_DRIVER: Final = frozenset(
    "application_name database dbname gsslib host krbsrvname passfile password port service servicefile sslcert sslcrl "
    "sslkey sslmode sslnegotiation sslpassword sslrootcert ssl_max_protocol_version ssl_min_protocol_version "
    "target_session_attrs user".split()
)
"""Parameters of a connection URL that asyncpg reads, and the one setting that poolers pass on."""


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """See `PostgresSaver.from_conn_string`."""

    schema: str = "graphrt"
    min_size: int = 0
    max_size: int = 10
    acquire_timeout_s: float = 30.0
    command_timeout_s: float = 60.0
    retry_s: float = 10.0
    statement_cache_size: int = 100


_NAMES: Final = tuple(field.name for field in fields(Options))


def options_of(given: Mapping[str, Any], *, noun: str = "PostgresSaver") -> Options:
    """Options from words and numbers, or from text that stands for them.

    Raises:
        GraphValidationError: a name or a value that there is not.
    """
    for name in given:
        if name not in _NAMES:
            raise GraphValidationError(f"{noun} has no option {name!r}.{did_you_mean(name, _NAMES)}")
    try:
        options = convert(given, Options, strict=False)
    except ValidationError as error:
        raise GraphValidationError(f"{noun}'s options: {error}.") from None
    quoted(options.schema)
    if not 0 <= options.min_size <= options.max_size or not options.max_size:
        raise GraphValidationError(
            f"A pool has 0 <= min_size <= max_size connections and max_size >= 1, got {options.min_size} and "
            f"{options.max_size}."
        )
    for name in ("acquire_timeout_s", "command_timeout_s"):
        if not getattr(options, name) > 0:
            raise GraphValidationError(f"{name} must be above 0, got {getattr(options, name)!r}.")
    if options.retry_s < 0 or options.statement_cache_size < 0:
        raise GraphValidationError("retry_s and statement_cache_size must not be negative.")
    return options


def read_url(url: str, given: Mapping[str, Any], *, noun: str = "PostgresSaver") -> tuple[str, Options]:
    """A URL for the driver, and the options in it; those given by keyword go before.

    Raises:
        GraphValidationError: the URL has a parameter that nobody knows.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres"):
        raise GraphValidationError(
            f"{noun} wants a URL such as postgresql://user:password@host:5432/database?schema=graphrt."
        )
    ours: dict[str, Any] = {}
    theirs: list[tuple[str, str]] = []
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name in _NAMES:
            ours[name] = value
        elif name in _DRIVER:
            theirs.append((name, value))
        else:
            known = did_you_mean(name, _DRIVER.union(_NAMES))
            raise GraphValidationError(f"A Postgres URL has no parameter {name!r}.{known}")
    # Put together by hand: urlunsplit leaves the slashes out where no host is named.
    place = f"{parts.scheme}://{parts.netloc}{parts.path}" + (f"?{urlencode(theirs)}" if theirs else "")
    return place, options_of({**ours, **given}, noun=noun)
