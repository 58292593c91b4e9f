"""A cheap proof that a row is a plain chat: most rows of most files are, and need no closer look.

Plain is a row with nothing but `messages`: a system turn or none, then user and assistant in turn, with visible
text in each. One pass over the messages stands for all rules about shape (`dataqa.shape` names them), and the
number of messages tells how many strings the row holds, and so how many quotes its bytes must have.
"""

from __future__ import annotations

from typing import Any

MAX_MESSAGES = 2048

# Letters by their category that show as nothing: Hangul fillers. (Other invisible signs are no letters or digits.)
_INVISIBLE_LETTERS = frozenset("\u115f\u1160\u3164\uffa0")


def plain_messages(row: Any) -> int:
    """Return how many messages a row has if it is a plain chat for every target's supervised tuning, else 0."""
    if type(row) is not dict or len(row) != 1:
        return 0
    messages = row.get("messages")
    if type(messages) is not list or not 2 <= len(messages) <= MAX_MESSAGES:
        return 0
    expected, next_one = "user", "assistant"
    try:
        for message in messages:
            role, content = message["role"], message["content"]
            if len(message) != 2 or type(content) is not str:
                return 0
            if not ("!" <= content[:1] <= "~" or _shows(content)):
                return 0
            if role == expected:
                expected, next_one = next_one, expected
            elif role != "system" or message is not messages[0]:
                return 0
    except (KeyError, TypeError):  # no message, or one without role or content
        return 0
    return len(messages) if expected == "user" else 0


def quotes_of(messages: int) -> int:
    """Return how many quotes stand around the keys and values of a plain chat, those inside texts left out."""
    return 2 + 8 * messages


def _shows(text: str) -> bool:
    """Whether a text begins with a letter or digit; one that begins otherwise is left to the rules."""
    first = text[:1]
    return first.isalnum() and first not in _INVISIBLE_LETTERS
