"""Chats: typed views of one row of data, which keep every key that they do not know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# What shows as nothing and is no white space to Python: zero-width and direction marks, tags, variation selectors,
# Hangul fillers, the empty Braille cell. Other format characters (the Arabic number sign) can be seen.
_UNSEEN = frozenset(
    {
        *"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180e\u2800\u3164\ufeff\uffa0",
        *map(chr, (*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070))),
        *map(chr, (*range(0xFE00, 0xFE10), *range(0xE0000, 0xE0080), *range(0xE0100, 0xE01F0))),
    }
)


def is_blank(text: str) -> bool:
    """Whether a text has nothing that can be seen: white space and zero-width characters only."""
    return all(sign.isspace() or sign in _UNSEEN for sign in text)


def text_of(content: Any) -> str:
    """Return the text of a message's content: the string itself, or its text parts joined by newlines."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = (part.get("text") for part in content if isinstance(part, dict))
        return "\n".join(text for text in parts if isinstance(text, str))
    return ""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat. `fields` holds every key as it was read."""

    role: str
    content: str | list[Any] | None
    fields: Mapping[str, Any]

    @property
    def text(self) -> str:
        """The text of the content, text parts joined by newlines; empty where there is none."""
        return text_of(self.content)

    @property
    def trained(self) -> bool:
        """Whether a tuner learns this message: an assistant message whose weight is not 0."""
        return self.role == "assistant" and self.fields.get("weight", 1) != 0

    @property
    def calls(self) -> list[Any]:
        """The tool calls of the message; empty where there are none."""
        return self.fields.get("tool_calls") or []


@dataclass(frozen=True, slots=True)
class Chat:
    """One row: its messages, and in `fields` the whole row as it was read."""

    messages: tuple[Message, ...]
    fields: Mapping[str, Any]

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Chat:
        """Make a chat of a row whose `messages` is a list of objects with a role.

        Raises ValueError when it is not; `check` explains such rows, this only refuses them.
        """
        messages = row.get("messages")
        if not isinstance(messages, list) or not messages:
            raise ValueError("the row has no list of messages")
        made = []
        for number, message in enumerate(messages):
            if not isinstance(message, dict) or not isinstance(message.get("role"), str):
                raise ValueError(f"messages[{number}] is not an object with a role")
            made.append(Message(message["role"], message.get("content"), message))
        return cls(tuple(made), row)

    def texts(self, *roles: str) -> Iterator[str]:
        """Give the non-empty texts of the messages with one of `roles`; of all messages without any."""
        for message in self.messages:
            if (not roles or message.role in roles) and (text := message.text):
                yield text

    @property
    def answer(self) -> str | None:
        """The text of the last message if it is the assistant's, else None."""
        last = self.messages[-1]
        return last.text if last.role == "assistant" else None

    @property
    def prompt(self) -> tuple[Message, ...]:
        """What stands before the final assistant message; all messages if the last is not the assistant's."""
        return self.messages[:-1] if self.messages[-1].role == "assistant" else self.messages
