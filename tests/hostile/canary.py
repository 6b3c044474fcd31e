"""What crafted bytes try to reach: loaded, importable, constructible in every way, and it sings when it is touched."""

from typing import Any

sung: list[str] = []


def sing(*args: Any, **kwargs: Any) -> str:
    sung.append("function")
    return "sung"


class Canary:
    """Every door that a deserialiser has ever used."""

    def __new__(cls, *args: Any, **kwargs: Any) -> "Canary":
        sung.append("__new__")
        return super().__new__(cls)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        sung.append("__init__")

    def __setstate__(self, state: Any) -> None:
        sung.append("__setstate__")

    def __post_init__(self) -> None:
        sung.append("__post_init__")

    @classmethod
    def parse(cls, *args: Any, **kwargs: Any) -> "Canary":
        sung.append("parse")
        return cls()

    construct = model_validate = model_construct = from_dict = lc_load = fromisoformat = __call__ = parse
