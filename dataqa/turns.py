"""The messages of a row as rules about chats see them: their roles, and what is no chat at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunegate.dataqa.rule import Row

ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
SYSTEM_ROLES = frozenset({"system", "developer"})

# What shows as nothing and is no white space to Python: zero-width and direction marks, tags, variation selectors,
# Hangul fillers, the empty Braille cell. Other format characters (the Arabic number sign) can be seen.
_UNSEEN = frozenset(
    {
        *"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180e\u2800\u3164\ufeff\uffa0",
        *map(chr, (*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070))),
        *map(chr, (*range(0xFE00, 0xFE10), *range(0xE0000, 0xE0080), *range(0xE0100, 0xE01F0))),
    }
)


def messages_of(row: Row) -> list[Any]:
    """Return the messages of a row whatever they are; an empty list where there is none."""
    found = row.value.get("messages") if row.is_object else None
    return found if isinstance(found, list) else []


def role_of(message: Any) -> str | None:
    """Return the role of a message; None where it is none that any target knows."""
    role = message.get("role") if isinstance(message, dict) else None
    return role if isinstance(role, str) and role in ROLES else None


# Parts of content that show an image; `image` is what processors of Hugging Face's models read.
IMAGE_TYPES = ("image_url", "image")


def has_image(row: Row) -> bool:
    """Whether a message of the row has an image."""
    return any(
        isinstance(part, dict) and part.get("type") in IMAGE_TYPES
        for _, message in row.messages
        if isinstance(message.get("content"), list)
        for part in message["content"]
    )


def roles_of(row: Row) -> list[str] | None:
    """Return the role of each message; None where one cannot be told, so that order proves nothing."""
    roles = []
    for message in messages_of(row):
        role = role_of(message)
        if role is None:
            return None
        roles.append(role)
    return roles or None


def is_sharegpt(message: Mapping[str, Any]) -> bool:
    """Whether a message is written as in ShareGPT: `from` and `value` in place of `role` and `content`."""
    return "from" in message and "value" in message and "role" not in message and "content" not in message


def is_blank(text: str) -> bool:
    """Whether a text has nothing that can be seen: white space and zero-width characters only."""
    return all(sign.isspace() or sign in _UNSEEN for sign in text)


def has_calls(message: Mapping[str, Any]) -> bool:
    """Whether a message has calls of tools in place of text, sound or not."""
    return message.get("tool_calls") is not None or message.get("function_call") is not None
