"""How rules name places and values of a row in their messages."""

from __future__ import annotations

import json
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from tunegate.core.location import Path, json_path
from tunegate.dataqa.showing import masked

# Enough to recognise a value by, and too little to fill a terminal.
LONGEST = 40


def place(path: Path) -> str:
    """Return a path as it stands in messages: `messages[2].content`."""
    return json_path(path).removeprefix("$").removeprefix(".")


def named(value: Any) -> str:
    """Return what a value is, in a word or two: `'ab'`, `0.5`, `true`, `null`, `a list`, `an object`."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return json.dumps(value)


def quoted(text: str) -> str:
    """Return a short text in quotes, its middle left out where it is long.

    Secrets and personal data are masked first: what is left of one would be known for none any more.
    """
    text = masked(text)
    if len(text) > LONGEST:
        text = f"{text[: LONGEST // 2]}...{text[-LONGEST // 4 :]}"
    return repr(text)


def listed(words: Iterable[str], limit: int = 5) -> str:
    """Return words in quotes with commas between; after `limit` of them only how many more there are."""
    items = [quoted(word) for word in words]
    more = f" and {len(items) - limit} more" if len(items) > limit else ""
    return ", ".join(items[:limit]) + more


def counted(number: int, word: str) -> str:
    """Return a number with its word: `1 row`, `2,000 rows`."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def near(name: str, known: Iterable[str], cutoff: float = 0.75) -> str | None:
    """Return the known name that another is most likely a slip of; None where none is close."""
    found = get_close_matches(name.strip().casefold()[:LONGEST], list(known), n=1, cutoff=cutoff)
    return found[0] if found else None
