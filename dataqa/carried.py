"""How the value of a repair is written: what it carries on of the row keeps its bytes.

`1e5` and `100000.0` are the same number and not the same text, and `12345678901234567890.5` is no number that
Python has. Whatever stood in the line is taken from there; only what a repair made is written anew.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from tunegate.core.location import Path, locate
from tunegate.dataqa.row import Row


class Raw(bytes):
    """Bytes that are written as they stand."""


class Dumped(str):
    """A string that holds a value of the row as JSON."""

    __slots__ = ("value",)
    value: Any

    @classmethod
    def of(cls, value: Any) -> Dumped:
        """Return the string of a value."""
        made = cls(json.dumps(value, ensure_ascii=False))
        made.value = value
        return made


class Loaded(list[Any]):
    """A list of which a string of the row held the JSON."""

    __slots__ = ("text",)
    text: str

    @classmethod
    def of(cls, value: list[Any], text: str) -> Loaded:
        """Return a list as it stood in a text."""
        made = cls(value)
        made.text = text
        return made


def carried(value: Any, row: Row) -> Any:
    """Return what a repair gave as the bytes to be written; a plain value is returned as it is."""
    return Raw(_Writer(row).written(value)) if isinstance(value, (dict, list, Dumped)) else value


def in_manner_of(raw: bytes, value: Any) -> bytes:
    """Write a value in the manner of the line: escapes and white space as it has them."""
    if isinstance(value, Raw):
        return value
    escapes = _has_escapes(raw)
    try:
        return json.dumps(value, ensure_ascii=escapes, separators=_separators(raw)).encode()
    except UnicodeEncodeError:  # half of a surrogate pair can be written as an escape only
        return json.dumps(value, separators=_separators(raw)).encode()


# A line may have thousands of edits, and its manner is looked for from its start.
@lru_cache(maxsize=1)
def _has_escapes(raw: bytes) -> bool:
    """Whether a line writes characters beyond ASCII as escapes."""
    return raw.isascii() and b"\\u" in raw


@lru_cache(maxsize=1)
def _separators(raw: bytes) -> tuple[str, str]:
    return (", ", ": ") if b'": ' in raw else (",", ":")


class _Writer:
    """Writes values with the bytes of a line, for what is the very object that was read from it.

    Integers are not known so: small ones are one object wherever they come from, and are written in one way.
    """

    def __init__(self, row: Row) -> None:
        self._raw = row.raw
        self._comma, self._colon = (sign.encode() for sign in _separators(row.raw))
        self._bytes: dict[int, bytes] = {}
        self._keys: dict[str, bytes] = {}
        self._look(row.value, ())

    def _look(self, value: Any, at: Path) -> None:
        span = locate(self._raw, at)
        if span is None:
            return
        if at and isinstance(at[-1], str):
            key = self._raw[span.member_start : span.start].rstrip(b" \t\r\n:")
            self._keys.setdefault(at[-1], key)
        if isinstance(value, (str, float, dict, list)):
            self._bytes[id(value)] = self._raw[span.start : span.end]
        if isinstance(value, dict):
            for name, item in value.items():
                self._look(item, (*at, name))
        elif isinstance(value, list):
            for number, item in enumerate(value):
                self._look(item, (*at, number))

    def written(self, value: Any) -> bytes:
        """Return the bytes of a value."""
        if isinstance(value, Dumped):
            return in_manner_of(self._raw, self.written(value.value).decode())
        if isinstance(value, Loaded):  # line ends can stand only between its parts
            return value.text.replace("\n", " ").replace("\r", " ").encode()
        if id(value) in self._bytes:
            return self._bytes[id(value)]
        if isinstance(value, dict):
            members = [self._key(name) + self._colon + self.written(item) for name, item in value.items()]
            return b"{" + self._comma.join(members) + b"}"
        if isinstance(value, list):
            return b"[" + self._comma.join(map(self.written, value)) + b"]"
        return in_manner_of(self._raw, value)

    def _key(self, name: str) -> bytes:
        return self._keys.get(name) or in_manner_of(self._raw, name)
