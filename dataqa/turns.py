"""The messages of a row as rules about chats see them: their roles, and what is no chat at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunegate.dataqa.row import Row

ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
SYSTEM_ROLES = frozenset({"system", "developer"})


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


def has_calls(message: Mapping[str, Any]) -> bool:
    """Whether a message has calls of tools in place of text, sound or not."""
    return message.get("tool_calls") is not None or message.get("function_call") is not None
