"""Values as JSON on one line: whatever a graph's state holds, a line comes out."""

from dataclasses import dataclass
from datetime import date
from io import StringIO
from typing import Any

import msgspec
import pydantic
import pytest

from graphrt.cli.lines import JsonLines, as_json


@dataclass
class Point:
    x: int


class Model(pydantic.BaseModel):
    x: int


@pytest.mark.parametrize(
    "value, shown",
    [
        ({"a": [1, None, True]}, {"a": [1, None, True]}),
        ((1, 2), [1, 2]),
        (Point(1), {"x": 1}),
        (Model(x=1), {"x": 1}),
        (date(2024, 2, 29), "2024-02-29"),
        (b"\x00", "AA=="),
        ({1: "a"}, {"1": "a"}),
        ({(1, 2): {"b": Point(3)}}, {"(1, 2)": {"b": {"x": 3}}}),
        (ValueError("no"), "ValueError('no')"),
        (float("nan"), None),
        ("\ud800", "'\\ud800'"),
        ([1 << 80], [1 << 80]),
    ],
)
def test_every_value_has_a_form(value: Any, shown: Any):
    text = as_json(value)
    assert "\n" not in text
    assert msgspec.json.decode(text) == shown or text == msgspec.json.encode(shown).decode()


def test_each_line_is_flushed():
    class Out(StringIO):
        flushed = 0

        def flush(self) -> None:
            self.flushed += 1

    out = Out()
    view = JsonLines(out)
    view.chunk("updates", {"a": 1})
    view.result({"a": 2})
    assert out.getvalue() == '{"type":"updates","data":{"a":1}}\n{"type":"result","data":{"a":2}}\n'
    assert out.flushed == 2
