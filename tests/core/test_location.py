from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.core.location import column, json_path, locate, utf16_column

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


def paths(value: Any, so_far: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], Any]]:
    found = [(so_far, value)]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in items:
        found += paths(item, (*so_far, step))
    return found


@given(values, st.sampled_from([None, 1]), st.booleans())
@settings(deadline=None)
def test_every_value_stands_where_it_is_said_to(value: Any, indent: int | None, ascii_only: bool) -> None:
    raw = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    for path, expected in paths(value):
        span = locate(raw, path)
        assert span is not None
        assert json.loads(raw[span.start : span.end].decode("utf-8", "surrogatepass")) == expected
        assert column(raw, path) == span.start + 1


@given(st.binary(max_size=60), st.lists(st.text(max_size=3) | st.integers(0, 3), max_size=3))
@settings(deadline=None)
def test_unsound_bytes_never_raise(raw: bytes, path: list[str | int]) -> None:
    try:
        json.loads(raw)
    except ValueError:
        assert column(raw, tuple(path)) >= 1


def test_what_is_not_there_points_at_what_is_above() -> None:
    raw = b'{"messages": [{"role": "user"}]}'
    assert locate(raw, ("messages", 0, "content")) is None
    assert column(raw, ("messages", 0, "content")) == raw.index(b'{"role') + 1


def test_of_a_key_twice_the_last_counts() -> None:
    raw = b'{"a": 1, "a": 22}'
    span = locate(raw, ("a",))
    assert span is not None
    assert raw[span.start : span.end] == b"22"


@pytest.mark.parametrize(
    ("path", "text"),
    [((), "$"), (("messages", 2, "content"), "$.messages[2].content"), (("a b", "it's"), "$['a b']['it\\'s']")],
)
def test_json_path(path: tuple[str | int, ...], text: str) -> None:
    assert json_path(path) == text


@given(st.text(), st.text())
def test_a_column_in_utf16_units_is_what_an_editor_counts(before: str, after: str) -> None:
    try:
        raw = (before + after).encode()
    except UnicodeEncodeError:
        return
    column = len(before.encode()) + 1
    units = len(before.encode("utf-16-le")) // 2 + 1
    assert (utf16_column(raw, column) or column) == units


def test_a_byte_that_is_no_utf8_counts_as_one_unit() -> None:
    assert utf16_column(b"Caf\xe9 x", 6) is None
    assert utf16_column(b"Cafe x", 6) is None
    assert utf16_column("ä x".encode() + b"\xff", 99) == 5


def test_thousands_of_places_in_one_line_are_found_in_its_time() -> None:
    """Each would take as long as all if the line were read again for every place."""
    count = 20_000
    raw = json.dumps([{"a": number} for number in range(count)]).encode()
    places = [column(raw, (number, "a")) for number in range(count)]
    assert raw[places[-1] - 1 :] == str(count - 1).encode() + b"}]"
    assert places == sorted(places)


def test_columns_of_one_line_may_be_asked_for_in_any_order() -> None:
    raw = "ä🌍bä".encode()
    for columns in ((3, 7, 8), (8, 3, 7), (7, 8, 3)):
        assert {column: utf16_column(raw, column) for column in columns} == {3: 2, 7: 4, 8: 5}
