"""What a row teaches to answer: each trained answer in words, and what was asked before it."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from tunegate.core.chat import text_of
from tunegate.core.location import Path
from tunegate.dataqa.row import Row

# So many characters are split into words for a first look: splitting whole texts takes longer than most rules.
HEAD = 64

_REASONING_ENDS = ("</think>", "</thinking>", "</reasoning>", "</thought>")


class Reply(NamedTuple):
    """An answer without its reasoning, the user's last text before it, and the first words of both, in lower case.

    `message` is the place of its message.
    """

    message: int
    text: str
    asked: str
    first_words: list[str]
    first_asked: list[str]

    @property
    def at(self) -> Path:
        """The place of the answer."""
        return ("messages", self.message, "content")


@lru_cache(maxsize=2)  # several rules ask about the same row in turn
def replies(row: Row) -> tuple[Reply, ...]:
    """Return the trained answers of a row that have text and call no tool."""
    found = []
    asked = ""
    first_asked: list[str] = []
    for index, message in row.messages:
        role, content = message.get("role"), message.get("content")
        if role == "user":
            asked = content if type(content) is str else text_of(content)
            first_asked = asked[:HEAD].lower().split()
        elif role == "assistant" and "tool_calls" not in message and "function_call" not in message:
            text = content if type(content) is str else text_of(content)
            if text and message.get("weight", 1) != 0:
                if text[0] == "<":
                    text = _spoken(text)
                found.append(Reply(index, text, asked, text[:HEAD].lower().split(), first_asked))
    return tuple(found)


def _spoken(text: str) -> str:
    """Return what follows the reasoning at the head of a text."""
    for end in _REASONING_ENDS:
        if text.startswith(f"<{end[2:]}") and end in text:
            return text.partition(end)[2].lstrip()
    return text


def instructions(row: Row) -> str:
    """Return the text of the system messages."""
    return "\n".join(text for _, _, text in row.texts("system", "developer"))
