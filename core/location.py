"""Where in a line of JSON a value stands: paths, byte columns, and spans for edits that leave the rest alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tunegate.core.patterns import lazy_pattern

Path = tuple[str | int, ...]
"""A way into a JSON value: keys and indices, such as ("messages", 2, "content")."""

_SPACE = lazy_pattern(rb"[ \t\r\n]*")
# Runs of plain characters are skipped at once: ten times faster than one by one.
_QUOTED = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_STRING = lazy_pattern(_QUOTED, re.DOTALL)
_STRING_OR_BRACKET = lazy_pattern(_QUOTED + rb"|[\[\]{}]", re.DOTALL)
_SCALAR = lazy_pattern(rb"[^,\]}\s]+")
_PLAIN_KEY = lazy_pattern(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def json_path(path: Path) -> str:
    """Return a path in JSONPath notation: `$.messages[2].content`."""
    text = "$"
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN_KEY.match(step):
            text += f".{step}"
        else:
            text += "['" + step.replace("\\", "\\\\").replace("'", "\\'") + "']"
    return text


@dataclass(frozen=True, slots=True)
class Span:
    """Byte offsets of a value, and of its whole member (key and colon too) where it stands in an object."""

    start: int
    end: int
    member_start: int


def locate(raw: bytes, path: Path) -> Span | None:
    """Return where the value at `path` stands in `raw`, or None when it is not there.

    Of a key that stands more than once the last counts, as in the readers of JSON.
    """
    try:
        span = _whole(raw)
        for step in path:
            found = _members(raw, span.start).get(step)
            if found is None:
                return None
            span = found
    except (IndexError, AttributeError):  # no sound JSON: nothing to point at
        return None
    return span


def column(raw: bytes, path: Path) -> int:
    """Return the byte column, from 1, of the value at `path`, or of the nearest value above it."""
    for length in range(len(path), -1, -1):
        span = locate(raw, path[:length])
        if span is not None:
            return span.start + 1
    return 1


def utf16_column(raw: bytes, column: int) -> int | None:
    """Return a byte column in UTF-16 units; None where it is the same, as in ASCII.

    A byte that is no UTF-8 counts as one unit: editors show one sign for it.
    """
    if _known.raw is not raw:
        _known.read(raw)
    if _known.is_ascii:
        return None
    if column < _known.column:
        _known.column = _known.units = 1
    between = raw[_known.column - 1 : column - 1]
    _known.units += len(between.decode("utf-8", "replace").encode("utf-16-le")) // 2
    _known.column = column
    return None if _known.units == column else _known.units


def _skip_space(raw: bytes, position: int) -> int:
    match = _SPACE.match(raw, position)
    assert match is not None
    return match.end()


def _end_of_value(raw: bytes, position: int) -> int:
    """Return the offset after the value that starts at `position`."""
    opening = raw[position]
    if opening == 0x22:
        return _STRING.match(raw, position).end()  # type: ignore[union-attr]
    if opening not in b"{[":
        return _SCALAR.match(raw, position).end()  # type: ignore[union-attr]
    depth = 0
    for found in _STRING_OR_BRACKET.finditer(raw, position):
        sign = raw[found.start()]
        if sign != 0x22:
            depth += 1 if sign in b"{[" else -1
            if depth == 0:
                return found.end()
    raise IndexError(position)  # the value does not end


class _Known:
    """What is known of one line: its value, the members that were asked for, and the last column in UTF-16 units.

    A line may have thousands of findings, and each would go over it from its start.
    """

    def __init__(self) -> None:
        self.read(b"")

    def read(self, raw: bytes) -> None:
        """Forget the line before, and begin with another."""
        self.raw = raw
        self.is_ascii = raw.isascii()
        self.column = self.units = 1
        self.whole: Span | None = None
        self.members: dict[int, dict[str | int, Span]] = {}


_known = _Known()


def _whole(raw: bytes) -> Span:
    """Return where the value of a line stands."""
    if _known.raw is not raw:
        _known.read(raw)
    if _known.whole is None:
        position = _skip_space(raw, 0)
        _known.whole = Span(position, _end_of_value(raw, position), position)
    return _known.whole


def _members(raw: bytes, start: int) -> dict[str | int, Span]:
    """Return where the members of the object or array at `start` stand; nothing of another value."""
    if start not in _known.members:
        _known.members[start] = dict(_scanned(raw, start))
    return _known.members[start]


def _scanned(raw: bytes, start: int) -> Iterator[tuple[str | int, Span]]:
    """Give the members of an object or array, each with its key or index."""
    import json

    opening = raw[start : start + 1]
    if opening not in (b"{", b"["):
        return
    position, number = start + 1, 0
    while True:
        position = _skip_space(raw, position)
        if raw[position] in b"}]":
            return
        if raw[position] == 0x2C:  # a comma
            position = _skip_space(raw, position + 1)
        member_start, step = position, number
        if opening == b"{":
            key_end = _STRING.match(raw, position).end()  # type: ignore[union-attr]
            step = json.loads(raw[position:key_end])
            position = _skip_space(raw, _skip_space(raw, key_end) + 1)
        end = _end_of_value(raw, position)
        yield step, Span(position, end, member_start)
        number += 1
        position = end
