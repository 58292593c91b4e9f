"""The keys of rows and messages, and what other keys are likely slips of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tunegate.core.patterns import lazy_pattern
from tunegate.dataqa.targets import MESSAGE_KEYS, ROW_KEYS
from tunegate.dataqa.wording import near

# What other formats and hasty hands call them.
_OTHER_NAMES = {
    "messages": ("message", "msgs", "chat", "dialog", "dialogue", "conversation", "turns", "interactions"),
    "role": ("from", "speaker", "author", "sender"),
    "content": ("contents", "text", "value", "body", "message", "utterance"),
}

_NO_WORD = lazy_pattern(r"[\W_]+")


def _bare(key: str) -> str:
    return _NO_WORD.sub("", key).casefold()


_BARE_ROW_KEYS = {_bare(key): key for key in sorted(ROW_KEYS)}
_BARE_MESSAGE_KEYS = {_bare(key): key for key in sorted(MESSAGE_KEYS)}


def misspelt(fields: Mapping[str, Any], of: str) -> Iterator[tuple[str, str]]:
    """Give (key, known key) of the keys that differ from a known one in case, spaces and marks only.

    `of` says what the object is: "row" or "message".
    """
    bare = _BARE_ROW_KEYS if of == "row" else _BARE_MESSAGE_KEYS
    for key in fields:
        known = bare.get(_bare(key))
        if known is not None and known != key:
            yield key, known


def is_misspelt(fields: Mapping[str, Any], known: str, of: str) -> bool:
    """Whether a known key is missing and stands there in another case, or with spaces."""
    return known not in fields and any(found == known for _, found in misspelt(fields, of))


def stand_in(fields: Mapping[str, Any], known: str) -> str | None:
    """Return the key that likely stands for a known one that is missing: `contents`, or the `from` of ShareGPT."""
    taken = ROW_KEYS if known == "messages" else MESSAGE_KEYS
    kinds = (list, dict) if known == "messages" else (str, list) if known == "content" else (str,)
    others = [key for key, value in fields.items() if key not in taken and isinstance(value, kinds)]
    for name in _OTHER_NAMES[known]:
        if name in others:
            return name
    return next((key for key in others if near(key, [known])), None)
