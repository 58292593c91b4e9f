"""The inputs of `fuzz_reader.py`: lines that were good or nearly so, changed by seed, and noise."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from tunegate.dataqa.catalog import RULES

LONGEST_SEED = 4096
# What JSON, readers and rules make much of.
ODD_TEXTS = (
    '"', "\\", "{", "}", "[", "]", ",", ":", "\n", "\r", "\0", " " * 80, "\ufeff", "\u2028", "\ud800", "\u017f",
    "\u202e\u200b", "\U0001f642", "\\ud83d", "\\ude00", "\\u0000", "null", "true", "NaN", "-Infinity", "1e999",
    "-0", "0.1", "9" * 20, "9" * 5000, "[" * 300, '{"a":' * 150, '"role": "assistant"', '"weight": 2',
    '"tools": [1]', '"tool_calls": [{}]', '"arguments": "{\\"a\\": 1}"', '"content": [{"type": "image_url"}]',
    "<think>", "<|im_end|>", "a@b.example", "AKIA", "+49 30 901820", "%s{}",
)  # fmt: skip
ODD_BYTES = (b"\xff", b"\xc3", b"\xe2\x80", *(text.encode("utf-8", "surrogatepass") for text in ODD_TEXTS))
# As JSON, so that no two places share one.
ODD_VALUES = (
    "null", "true", "false", "0", "-1", "1.5", "9223372036854775808", '""', '" "', '"user"', '"assistant"',
    '"tool"', '"function"', r'"\u0000"', '"{"', '"{}"', "[]", "{}", "[[]]", "[null]", "[{}]", '["a", 1]',
    '{"": ""}', '{"role": "user"}', '[{"role": "assistant", "content": null}]', '{"type": "function"}',
    '"' + "x" * 3000 + '"',
)  # fmt: skip
KEYS = ("name", "weight", "tool_calls", "content", "function_call", "tools", "messages", "x")


def seeds(folder: Path | None) -> list[bytes]:
    """Return the lines of all examples and of the files in a folder, without those that are very long."""
    found = [line for rule in RULES for line in (*rule.bad, *rule.good)]
    for path in sorted(folder.glob("*.jsonl")) if folder else ():
        found += path.read_bytes().split(b"\n")
    return sorted({line for line in found if len(line) <= LONGEST_SEED})


def made(begun: Sequence[bytes], chance: random.Random) -> Iterator[bytes]:
    """Give inputs without end, the same for the same seed."""
    while True:
        way = chance.random()
        line = chance.choice(begun)
        yield (
            _noise(chance)
            if way < 0.1
            else _changed_bytes(line, begun, chance)
            if way < 0.5
            else _changed_value(line, chance)
        )


def _changed_bytes(line: bytes, begun: Sequence[bytes], chance: random.Random) -> bytes:
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        at = chance.randint(0, len(line))
        end = min(len(line), at + chance.choice((0, 0, 1, 2, 20)))
        way = chance.random()
        if way < 0.4:
            line = line[:at] + chance.choice(ODD_BYTES) + line[end:]
        elif way < 0.6:
            line = line[:at] + chance.randbytes(chance.randint(0, 3)) + line[end:]
        elif way < 0.7:
            line = line[:at]
        elif way < 0.8:
            line = line[:end] + line[at:]
        else:
            other = chance.choice(begun)
            line = line[:at] + other[chance.randint(0, len(other)) :]
    return line


def _changed_value(line: bytes, chance: random.Random) -> bytes:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return _noise(chance)
    for _ in range(chance.choice((1, 1, 2, 4))):
        value = _replaced(value, chance)
    separators = chance.choice(((",", ":"), (", ", ": "), (" ,", " : ")))
    return json.dumps(value, ensure_ascii=chance.random() < 0.3, separators=separators).encode(
        "utf-8", "surrogatepass"
    )


def _replaced(value: Any, chance: random.Random) -> Any:
    """Replace one value somewhere inside, take it out, double it, or put another beside it."""
    parent, step = None, None
    inner = value
    while isinstance(inner, (dict, list)) and inner and (parent is None or chance.random() < 0.8):
        parent = inner
        step = chance.choice(list(inner)) if isinstance(inner, dict) else chance.randrange(len(inner))
        inner = inner[step]
    if parent is None:
        return _odd_value(chance)
    way = chance.random()
    if way < 0.15:
        del parent[step]
    elif way < 0.3 and isinstance(parent, list):
        parent.insert(chance.randint(0, len(parent)), inner)
    elif way < 0.4 and isinstance(parent, dict):
        parent[chance.choice(("name", "weight", "tool_calls", "content", "function_call", "x"))] = chance.choice(
            ODD_VALUES
        )
    else:
        parent[step] = _odd_value(chance)
    return value


def _odd_value(chance: random.Random) -> Any:
    return orjson.loads(chance.choice(ODD_VALUES))


def _noise(chance: random.Random) -> bytes:
    if chance.random() < 0.5:
        return chance.randbytes(chance.randint(0, 80))
    return b"".join(chance.choice(ODD_BYTES) for _ in range(chance.randint(1, 12)))
