"""What the rules on personal data and on secrets share: where they look, what they say, how they mask."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from tunegate.core.jsonl import MISSING
from tunegate.core.location import Path
from tunegate.dataqa.hit import KEEP, Hit
from tunegate.dataqa.masking import Match, mask
from tunegate.dataqa.row import Row

Finder = Callable[[str], list[Match]]
Look = Callable[[Row], list[tuple[Path, Match]]]


def looking_for(find: Finder) -> Look:
    """Return a function that gives the matches in all strings of a row, each with its path.

    It keeps its last answer: the rules of one family ask about the same row in turn.
    """

    @lru_cache(maxsize=1)
    def look(row: Row) -> list[tuple[Path, Match]]:
        return [(path, match) for path, text in strings(row) for match in find(text)]

    return look


def strings(row: Row) -> Iterator[tuple[Path, str]]:
    """Give (path, text) of each string value, wherever in the row.

    Pictures and other files inside a row (`data:` URIs in base64) are left out: their letters mean nothing. A line
    that is no JSON is one text: what must not be shown is no less there.
    """
    if row.value is MISSING:
        yield (), row.raw.decode("utf-8", "replace")
        return
    waiting: list[tuple[Path, Any]] = [((), row.value)]  # no recursion: rows may be nested a thousand levels deep
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str):
            if not (value.startswith("data:") and ";base64," in value[:100]):
                yield path, value
        elif isinstance(value, dict):
            waiting += [((*path, key), item) for key, item in reversed(value.items())]
        elif isinstance(value, list):
            waiting += [((*path, index), item) for index, item in reversed(list(enumerate(value)))]


def hits(row: Row, look: Look, rule_id: str, repair: str) -> Iterator[Hit]:
    """Give a hit for each match of one rule in a row."""
    for path, match in look(row):
        if match.rule == rule_id:
            yield Hit(f"{match.kind} {match.masked}: {repair}", path)


def masked(row: Row, hit: Hit, *, find: Finder, rule_id: str) -> Any:
    """Return the string that a hit names with every match of its rule masked.

    KEEP in a line that is no JSON, and where the string is JSON itself and would be no more: a number in it cannot
    be masked.
    """
    text: Any = row.value
    if text is MISSING:
        return KEEP
    for step in hit.at:
        text = text[step]
    made = _masked(text, find, rule_id)
    return KEEP if _is_json(text) and not _is_json(made) else made


def _is_json(text: str) -> bool:
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


@lru_cache(maxsize=4)  # each of the many matches in a long text asks
def _masked(text: str, find: Finder, rule_id: str) -> str:
    return mask(text, (match for match in find(text) if match.rule == rule_id))


def chat_example(text: str) -> str:
    """Return a row whose user says `text`, written as inside a JSON string."""
    return (
        '{"messages": [{"role": "user", "content": "' + text + '"}, '
        '{"role": "assistant", "content": "Thank you, I have noted it."}]}'
    )
