# ruff: noqa: D401 (the first line of a rule's docstring is its title: it says what is wrong)
"""Rules about the lines of a file, one by one: encoding, JSON, cut ends, length."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tunegate.core.findings import Severity
from tunegate.core.jsonl import CUT, MISSING, FaultKind, decode, lone_surrogates
from tunegate.dataqa.rule import Hit, Row, rule

MAX_LINE_BYTES = 1024 * 1024

_CHAT = '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}'
_NO_JSON: tuple[FaultKind, ...] = ("syntax", "depth")


def _faults(row: Row, kind: FaultKind) -> Iterator[tuple[int, str]]:
    """Give column and message of the line's faults of a kind."""
    for fault in row.decoded.faults:
        if fault.kind == kind:
            yield fault.column, fault.message


# A byte that is not UTF-8 is read as half of a surrogate pair (PEP 383). Five bytes stand for nothing in cp1252.
_CP1252 = {
    0xDC00 + byte: sign for byte in range(0x80, 0x100) if (sign := bytes([byte]).decode("cp1252", "ignore"))
}


def _as_cp1252(line: bytes) -> bytes:
    """Read the bytes that are not UTF-8 as cp1252, and leave the others alone."""
    try:
        return line.decode("utf-8", "surrogateescape").translate(_CP1252).encode()
    except UnicodeEncodeError:
        return line


@rule(
    "FILE001",
    Severity.ERROR,
    fix="unsafe",
    repair_line=_as_cp1252,
    bad=_CHAT.encode().replace(b"Hi", b"Caf\xe9"),
    good=_CHAT.replace("Hi", "Café"),
    says="byte 0xE9 is not valid UTF-8, and 'é' in cp1252: save the file as UTF-8",
)
def not_utf8(row: Row) -> Iterator[Hit]:
    """A line is not valid UTF-8.

    JSON is UTF-8, so a reader refuses the line or replaces letters. Mostly the file was saved in an older encoding
    of Western languages; the unsafe fix reads the offending bytes as cp1252.
    """
    for column, message in _faults(row, "encoding"):
        sign = bytes([row.raw[column - 1]]).decode("cp1252", "replace")
        guess = f", and {sign!r} in cp1252" if sign.isprintable() and sign != "\ufffd" else ""
        yield Hit(f"{message}{guess}: save the file as UTF-8", column=column)


@rule(
    "FILE005",
    Severity.ERROR,
    fix="safe",
    repair_line=lambda line: line if line.strip(b" \t\r\n") else b"",
    bad=" ",
    good=_CHAT,
    says="the line is blank: take it out",
)
def blank_line(row: Row) -> Iterator[Hit]:
    """A line is empty, or holds white space only.

    Some readers skip it, some stop there, and in some every later line number is wrong.
    """
    for _column, message in _faults(row, "blank"):
        yield Hit(f"{message}: take it out", column=1)


@rule(
    "FILE006",
    Severity.ERROR,
    bad=_CHAT.replace("]}", "],}"),
    good=_CHAT,
    says="the line is no JSON: a comma stands before a closing bracket",
)
def not_json(row: Row) -> Iterator[Hit]:
    """A line is not JSON.

    The column is where the reader gave up; the fault itself may stand shortly before. Usual slips are Python's
    single quotes, a comma before a closing bracket, and line breaks inside strings.
    """
    if _is_cut(row):
        return  # FILE009 says more
    for kind in _NO_JSON:
        for column, message in _faults(row, kind):
            yield Hit(f"the line is no JSON: {message}", column=column)


def _name_of(value: Any) -> str:
    if isinstance(value, list):
        return "a JSON array"
    if isinstance(value, str):
        return "a JSON string"
    return f"the JSON value {value}" if isinstance(value, (bool, int, float)) else "null"


@rule(
    "FILE007",
    Severity.ERROR,
    bad=_CHAT.removeprefix('{"messages": ').removesuffix("}"),
    good=_CHAT,
    says='the line is a JSON array, and an object is needed: write {"messages": [...]}',
)
def not_an_object(row: Row) -> Iterator[Hit]:
    """A line is JSON, but not an object.

    A row is an object with the key `messages`. A list of messages alone needs to be wrapped in one.
    """
    value = row.value
    if value is not MISSING and not isinstance(value, dict):
        yield Hit(f'the line is {_name_of(value)}, and an object is needed: write {{"messages": [...]}}')


def _ended(line: bytes) -> bytes:
    return line if line.endswith(b"\n") or decode(line).value is MISSING else line + b"\n"


@rule(
    "FILE009",
    Severity.ERROR,
    fix="safe",
    repair_line=_ended,
    bad='{"messages": [{"role": "us',
    good=_CHAT + "\n",
    says="the last line is cut off: write the file again, or take the line out",
)
def cut_off(row: Row) -> Iterator[Hit]:
    """The last line is cut off, or lacks its newline.

    A line that ends in the middle of a value was lost when the file was written or copied: an error. A whole line
    without a newline is a warning: the next row that is appended would land on the same line.
    """
    if _is_cut(row):
        yield Hit("the last line is cut off: write the file again, or take the line out", column=len(row.raw) + 1)
    elif not row.ended and row.value is not MISSING:
        message = "the last line does not end in a newline: add one"
        yield Hit(message, column=len(row.raw) + 1, severity=Severity.WARNING)


@rule(
    "FILE010",
    Severity.ERROR,
    bad=_CHAT.replace('"content": "Hi"', '"content": "Hi", "content": "Ho"'),
    good=_CHAT,
    says="the key 'content' stands more than once in one object: keep one of them",
)
def duplicate_key(row: Row) -> Iterator[Hit]:
    """A key stands more than once in one object.

    Readers differ in which one they take, so the data that is checked may not be the data that is trained on.
    """
    for column, message in _faults(row, "duplicate-key"):
        yield Hit(f"{message}: keep one of them", column=column)


@rule(
    "FILE011",
    Severity.ERROR,
    bad=_CHAT.replace("]}", '], "score": NaN}'),
    good=_CHAT.replace("]}", '], "score": 0.5}'),
    says="NaN is not JSON: write null or a number, and long integers as strings",
)
def unsafe_number(row: Row) -> Iterator[Hit]:
    """A number is NaN or infinite, or an integer that most readers round.

    NaN and Infinity are no JSON, though Python writes them. Integers beyond 2^53 lose digits where numbers are
    64-bit floats: an id should be a string.
    """
    for column, message in _faults(row, "number"):
        yield Hit(f"{message}: write null or a number, and long integers as strings", column=column)


@rule(
    "FILE014",
    Severity.ERROR,
    fix="safe",
    repair_line=lambda line: lone_surrogates(line, b"\\ufffd"),
    needs=(b"\\ud", b"\\uD"),
    bad=_CHAT.replace("Hi", "Hi \\ud83d"),
    good=_CHAT.replace("Hi", "Hi \\ud83d\\ude00"),
    says="a lone surrogate escape is no character: write the whole pair, or take it out",
)
def lone_surrogate(row: Row) -> Iterator[Hit]:
    r"""A string holds half of a surrogate pair.

    Characters beyond U+FFFF are escaped as two halves, such as `\ud83d\ude00`. One half is no character: it cannot
    be written as UTF-8, and readers fail or drop it. The fix puts U+FFFD in its place; the other half is lost.
    """
    for column, message in _faults(row, "surrogate"):
        yield Hit(f"{message}: write the whole pair, or take it out", column=column)


@rule(
    "FILE017",
    Severity.WARNING,
    bad=_CHAT.replace("Hi", "Hi" * (MAX_LINE_BYTES // 2)),
    good=_CHAT.replace("Hi", "Hi" * (MAX_LINE_BYTES // 2 - 100)),
    says="the line has 1.0 MiB: more than 1 MiB is rarely a chat; name images by URL, split long documents",
)
def long_line(row: Row) -> Iterator[Hit]:
    """A line is longer than 1 MiB.

    Such a row is over the context of every model, unless it holds an image, and many readers keep whole lines in
    memory.
    """
    size = len(row.raw)
    if size > MAX_LINE_BYTES:
        yield Hit(
            f"the line has {size / MAX_LINE_BYTES:.1f} MiB: more than 1 MiB is rarely a chat; "
            "name images by URL, split long documents"
        )


def _is_cut(row: Row) -> bool:
    return not row.ended and any(fault.message == CUT for fault in row.decoded.faults)


RULES = (
    not_utf8,
    blank_line,
    not_json,
    not_an_object,
    cut_off,
    duplicate_key,
    unsafe_number,
    lone_surrogate,
    long_line,
)
