"""A cheap proof that a row is of plain sound shape, so that no rule about shape needs to be asked.

Most rows of most files are plain: system turn or none, then user and assistant in turn, text in each. For these
one pass over the messages stands for all rules named in `PROVEN`; a test runs those rules on every row that the
proof accepts. A row that is not plain may still be sound: then the rules decide.
"""

from __future__ import annotations

from typing import Any

MAX_MESSAGES = 2048

# Letters by their category that show as nothing: Hangul fillers. (Other invisible signs are no letters or digits.)
_INVISIBLE_LETTERS = frozenset("\u115f\u1160\u3164\uffa0")

# Rules about what a text says (CHAT025, CHAT026, CHAT029) are not among them: they look at every row.
PROVEN = frozenset(
    [f"CHAT{number:03}" for number in (*range(1, 13), *range(14, 21), 22, 23, 24, 27)]
    + [f"TOOL{number:03}" for number in (*range(1, 17), 18, 19, 20)]
    + [f"VIS{number:03}" for number in range(1, 7)]
)


def is_plain(row: Any) -> bool:
    """Whether a row has only `messages`, of plain sound shape for every target's supervised fine-tuning."""
    if type(row) is not dict or len(row) != 1:
        return False
    messages = row.get("messages")
    if type(messages) is not list or not 2 <= len(messages) <= MAX_MESSAGES:
        return False
    expected, next_one = "user", "assistant"
    try:
        for message in messages:
            role, content = message["role"], message["content"]
            if len(message) != 2 or type(content) is not str:
                return False
            if not ("!" <= content[:1] <= "~" or _shows(content)):
                return False
            if role == expected:
                expected, next_one = next_one, expected
            elif role != "system" or message is not messages[0]:
                return False
    except (KeyError, TypeError):  # no message, or one without role or content
        return False
    return expected == "user"


def _shows(text: str) -> bool:
    """Whether a text begins with a letter or digit; one that begins otherwise is left to the rules."""
    first = text[:1]
    return first.isalnum() and first not in _INVISIBLE_LETTERS
