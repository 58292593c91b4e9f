"""JSON lines: each decoded strictly, with every fault located, and written whole or not at all.

A line that cannot be used does not stop the reading: `decode` gives its faults instead of a value.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import orjson

from tunegate.core.errors import InputError
from tunegate.core.files import replacing, sha256_bytes
from tunegate.core.lines import read_lines
from tunegate.core.patterns import lazy_pattern
from tunegate.core.plain import plain_messages, quotes_of

FaultKind = Literal["encoding", "syntax", "duplicate-key", "number", "surrogate", "depth", "blank"]

CUT = "the line ends in the middle of a JSON value"
"""The message of the fault of a line that was cut off."""

# A limit on depth is a reader's right (RFC 8259, section 9). Writers give up at about 250 levels, Python's own
# readers and writers somewhere below 1,000, depending on who calls them.
MAX_DEPTH = 200

# Numbers beyond this lose digits in readers that use 64-bit floats (RFC 8259, section 6).
MAX_EXACT_INTEGER = 2**53


# Faults of one line that are told apart: each has to be looked for in the line.
MAX_FAULTS = 100


class _Missing:
    """The type of MISSING."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()
"""The value of a line that holds no JSON value."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a line is no sound JSON: `column` counts bytes from 1."""

    kind: FaultKind
    column: int
    message: str


class Decoded(NamedTuple):
    """A line's JSON value, or MISSING, and its faults.

    `has_float` is False where no number in it is a float; `is_plain` says that the value is a plain chat
    (`core.plain`).
    """

    value: Any
    faults: tuple[Fault, ...] = ()
    has_float: bool = True
    is_plain: bool = False


def decode(raw: bytes) -> Decoded:
    """Decode one line strictly; the value is MISSING where the line is no JSON at all."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return _decode_slowly(raw)
    messages = plain_messages(value)
    if messages and _holds_only(raw, quotes_of(messages)):
        return Decoded(value, (), False, True)
    found = _census(value)
    if found.containers > MAX_DEPTH and _is_too_deep(value):
        return _TOO_DEEP
    return _decode_slowly(raw) if _is_suspicious(raw, found) else Decoded(value, (), found.has_float, messages > 0)


def _holds_only(raw: bytes, quotes: int) -> bool:
    """Whether a line holds no more strings than its value, of which all keys and values are strings.

    A key that stands twice would bring further quotes. Quotes inside texts have a backslash before them; where two
    backslashes stand before a quote, the closer look decides.
    """
    found = raw.count(b'"')
    if found != quotes and b"\\" in raw:
        return b'\\\\"' not in raw and found - raw.count(b'\\"') == quotes
    return found == quotes


_TOO_DEEP = Decoded(MISSING, (Fault("depth", 1, f"nested more than {MAX_DEPTH} levels deep"),))


def _is_too_deep(value: Any) -> bool:
    level, depth = [value] if isinstance(value, (dict, list)) else [], 0
    while level and depth <= MAX_DEPTH:
        inside = [item.values() if isinstance(item, dict) else item for item in level]
        level = [item for items in inside for item in items if isinstance(item, (dict, list))]
        depth += 1
    return depth > MAX_DEPTH


def _is_suspicious(raw: bytes, found: _Census) -> bool:
    """Whether the fast parser may have hidden a duplicate key or rounded a number.

    A key is followed by `":`. Counted in the bytes, without the escaped quotes inside strings, this gives the
    number of keys written, as long as no key has white space before its colon and no string ends in a backslash
    before one; those go the slow way. So do lines with a long number beyond 2^53 (which may have become a float).
    """
    colons = raw.count(b'":')
    if raw.count(b":") != colons and _has_space_before_colon(raw):
        return True
    if b'\\":' in raw:
        if b'\\\\":' in raw:
            return True
        colons -= raw.count(b'\\":')
    return colons != found.keys or (found.has_risky_number and _LONG_NUMBER.search(raw) is not None)


class _Census(NamedTuple):
    """What a value holds: objects and arrays, keys, a float, a number that a fast parser may have rounded."""

    containers: int
    keys: int
    has_float: bool
    has_risky_number: bool


def _census(value: Any) -> _Census:
    """Look at every value inside a value, without recursion: this is asked of each row of a file."""
    containers, keys, has_float, has_long = -1, 0, False, False
    waiting = [[value]]
    while waiting:
        item: Any = waiting.pop()
        containers += 1
        if type(item) is dict:
            keys += len(item)
            item = item.values()
        for member in item:
            kind = type(member)
            if kind is str:
                continue
            if kind is dict or kind is list:
                waiting.append(member)
            elif kind is float:
                has_float = True
            elif kind is int and abs(member) > MAX_EXACT_INTEGER:
                has_long = True
    return _Census(containers, keys, has_float, has_float or has_long)


def _has_space_before_colon(raw: bytes) -> bool:
    # The pattern alone would look at every quote of the line; a colon after a space is rare.
    rare = b" :" in raw or b"\t:" in raw or b"\r:" in raw
    return rare and _SPACE_BEFORE_COLON.search(raw) is not None


_SPACE_BEFORE_COLON = lazy_pattern(rb'"[ \t\r]+:')
_LONG_NUMBER = lazy_pattern(rb"\d{16}")


def _decode_slowly(raw: bytes) -> Decoded:
    """Decode with the standard library, which can be made to tell everything."""
    if not raw.strip(b" \t\r\n"):
        return Decoded(MISSING, (Fault("blank", 1, "the line is blank"),))
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        byte = raw[error.start]
        return Decoded(MISSING, (Fault("encoding", error.start + 1, f"byte 0x{byte:02X} is not valid UTF-8"),))
    faults: list[Fault] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) < len(items):
            counts = Counter(key for key, _ in items)
            for key in sorted(key for key, count in counts.items() if count > 1)[: MAX_FAULTS - len(faults)]:
                column = _column_of_last_key(raw, key)
                faults.append(
                    Fault("duplicate-key", column, f"the key {key!r} stands more than once in one object")
                )
        return found

    def constant(name: str) -> Any:
        if len(faults) < MAX_FAULTS:
            faults.append(Fault("number", max(raw.find(name.encode()), 0) + 1, f"{name} is not JSON"))

    def integer(digits: str) -> int | float:
        if len(digits) > 17 or abs(int(digits)) > MAX_EXACT_INTEGER:
            if len(faults) >= MAX_FAULTS:
                return float(digits[:300])
            shown = digits if len(digits) <= 24 else digits[:24] + "..."
            message = f"the integer {shown} is beyond 2^53 and loses digits in most readers"
            faults.append(Fault("number", raw.find(digits.encode()) + 1, message))
            return float(digits[:300])
        return int(digits)

    try:
        value = json.loads(text, object_pairs_hook=pairs, parse_constant=constant, parse_int=integer)
    except json.JSONDecodeError as error:
        column = len(text[: error.pos].encode()) + 1
        return Decoded(MISSING, (Fault("syntax", column, _reason(error, text)),))
    except RecursionError:
        return _TOO_DEEP
    if _is_too_deep(value):
        return _TOO_DEEP
    if b"\\u" in raw and (escape := _LONE_SURROGATE.match(raw)):
        faults.append(Fault("surrogate", escape.start("lone") + 1, "a lone surrogate escape is no character"))
    return Decoded(value, tuple(faults))


# Matched from the start of the line: escapes are consumed from the left, so that `\\ud83d` (a backslash and
# letters) is not taken for one.
_LONE_SURROGATE = lazy_pattern(
    rb"(?:[^\\]|\\(?:[^u]|u(?![dD][89a-fA-F])|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}))*?"
    rb"(?P<lone>\\u[dD](?:[89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|[c-fC-F][0-9a-fA-F]{2}))"
)


def lone_surrogates(raw: bytes, replacement: bytes) -> bytes:
    """Return the line with `replacement` in the place of every lone surrogate escape."""
    pieces, position = list[bytes](), 0
    while escape := _LONE_SURROGATE.match(raw, position):
        pieces += (raw[position : escape.start("lone")], replacement)
        position = escape.end()
    return b"".join([*pieces, raw[position:]])


def _column_of_last_key(raw: bytes, key: str) -> int:
    return raw.rfind(json.dumps(key, ensure_ascii=False).encode("utf-8", "surrogatepass")) + 1 or 1


def _reason(error: json.JSONDecodeError, text: str) -> str:
    """Say in plain words why a text is no JSON, with the usual slips named."""
    if error.pos >= len(text.rstrip()) or "Unterminated" in error.msg:
        return CUT
    rest = text[error.pos :]
    if rest.startswith("'"):
        return "single quotes are not JSON: use double quotes"
    if text[: error.pos].rstrip().endswith(",") and rest[:1] in "}]":
        return "a comma stands before a closing bracket"
    if "property name" in error.msg and rest[:1] in "}]":
        return "a comma stands before a closing bracket"
    if error.msg == "Extra data":
        return "more text follows the JSON value: one object a line"
    if error.msg.startswith("Invalid control character"):
        return f"the control character 0x{ord(rest[0]):02X} stands unescaped in a string"
    return error.msg[0].lower() + error.msg[1:]


def row_id(raw: bytes, decoded: Decoded | None = None) -> str:
    """Return the row's id: 16 hexadecimal digits of the SHA-256 of its canonical form.

    Canonical is the whole object with sorted keys, no white space, UTF-8 and numbers as written; a line that
    is not one sound JSON object hashes its raw bytes.
    """
    decoded = decoded or decode(raw)
    if decoded.faults or not isinstance(decoded.value, dict):
        return sha256_bytes(raw)[:16]
    return sha256_bytes(canonical(raw, decoded))[:16]


def canonical(raw: bytes, decoded: Decoded) -> bytes:
    """Return the canonical bytes of a sound line; see `row_id`."""
    if decoded.has_float or (b"-0" in raw and _NEGATIVE_ZERO.search(raw)):
        exact = json.loads(raw, parse_float=_Number, parse_int=_Number)
        return _dump(exact).encode()
    return orjson.dumps(decoded.value, option=orjson.OPT_SORT_KEYS)


_NEGATIVE_ZERO = lazy_pattern(rb"[\[:, \t\r]-0")


class _Number(str):
    """A number as it was written."""

    __slots__ = ()


def _dump(value: Any) -> str:
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{_dump(key)}:{_dump(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_dump, value)) + "]"
    return orjson.dumps(value).decode()  # the same escapes as the fast way


def dumps(row: Any) -> bytes:
    """Return a row as one line of JSON without its LF, keys in their order."""
    return orjson.dumps(row)


def write_rows(path: Path, rows: Iterable[Any]) -> int:
    """Write rows as JSON lines, whole or not at all, and return how many there were."""
    count = 0
    with replacing(path) as stream:
        for row in rows:
            stream.write(dumps(row) + b"\n")
            count += 1
    return count


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Give the rows of a file that this project wrote; raises InputError at the first broken line."""
    for line in read_lines(path):
        value = decode(line.raw).value
        if not isinstance(value, dict):
            raise InputError(f"{path}:{line.number} is damaged: make the file again")
        yield value
