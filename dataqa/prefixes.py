"""Conversations that are the beginning of another: every answer of theirs is trained there too."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import orjson

from tunegate.dataqa.entry import Entry


def known_by(context: str, answer: str) -> str:
    """Return a digest of a conversation: of what stands before an answer, and of the answer."""
    return blake2b(f"{context}{answer}".encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def prefixes_of(
    messages: Sequence[Mapping[str, Any]],
    tools: Sequence[Any],
    seen: Callable[[Mapping[str, Any]], Mapping[str, Any]],
    answer_of: Callable[[Mapping[str, Any]], str],
) -> tuple[str, ...]:
    """Return what a conversation up to each of its earlier trained answers is known by.

    A context is hashed as `Entry.context` is, in one pass: the JSON list of the messages as `seen`, tools last.
    """
    end = b"," + orjson.dumps(tools, option=orjson.OPT_SORT_KEYS) + b"]" if tools else b"]"
    context = blake2b(b"[", digest_size=12)
    found = []
    for place, message in enumerate(messages[:-1]):
        if place:
            if message["role"] == "assistant" and message.get("weight", 1) != 0:
                before = context.copy()
                before.update(end)
                found.append(known_by(before.hexdigest(), answer_of(message)))
            context.update(b",")
        context.update(orjson.dumps(seen(message), option=orjson.OPT_SORT_KEYS))
    return tuple(found)


def find_prefixes(entries: Sequence[Entry]) -> dict[int, int]:
    """Return the place of each conversation that another one begins with, and the place of the longer one.

    Both are of one split. Of several longer ones the first counts that is no beginning of another itself.
    """
    holders: dict[tuple[str, str], list[int]] = {}
    for place, entry in enumerate(entries):
        for prefix in entry.prefixes:
            holders.setdefault((entry.split, prefix), []).append(place)
    if not holders:
        return {}
    longer = {
        place: found
        for place, entry in enumerate(entries)
        if (found := holders.get((entry.split, known_by(entry.context, entry.answer))))
    }
    return {
        place: next((other for other in found if other not in longer), found[0]) for place, found in longer.items()
    }
