"""The texts of a row that people wrote or a model is to learn: where the rules about text look."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from tunegate.core.location import Path
from tunegate.dataqa.row import Row

# What tools said is data.
MACHINES = frozenset({"tool", "function"})


class Text(NamedTuple):
    """A text of a row: its place, the role that says it, and the text."""

    at: Path
    role: str
    text: str


@lru_cache(maxsize=1)  # the rules about text ask about the same row in turn
def texts_of(row: Row) -> list[Text]:
    """Return the texts of messages but for what tools said; of a preference pair, prompt and preferred answer."""
    value = row.value
    if not isinstance(value, dict):
        return []
    if "messages" in value:
        return list(_texts(value["messages"], ("messages",)))
    prompt = value.get("input")
    inner = prompt.get("messages") if isinstance(prompt, dict) else None
    return [*_texts(inner, ("input", "messages")), *_texts(value.get("preferred_output"), ("preferred_output",))]


def _texts(messages: Any, at: Path) -> Iterator[Text]:
    if not isinstance(messages, list):
        return
    for index, message in enumerate(messages):
        if not isinstance(message, dict):
            continue
        role = message.get("role")
        if not isinstance(role, str) or role in MACHINES:
            continue
        content = message.get("content")
        if isinstance(content, str):
            yield Text((*at, index, "content"), role, content)
        elif isinstance(content, list):
            for number, part in enumerate(content):
                if isinstance(part, dict) and isinstance(part.get("text"), str):
                    yield Text((*at, index, "content", number, "text"), role, part["text"])
