"""Texts of chats and models cut to what a page can hold; escaping them is the template's work."""

from __future__ import annotations

from dataclasses import dataclass

from tunegate.core.visible import visible

# The longest text of one message that the page holds; the whole text lies in samples.jsonl.gz.
LONGEST = 4_000


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A text as the page shows it, and how many characters were left out at its end."""

    text: str
    left_out: int = 0


def excerpt(text: str, longest: int = LONGEST) -> Excerpt:
    """Return the visible form of the first `longest` characters."""
    return Excerpt(visible(text[:longest]), max(0, len(text) - longest))
