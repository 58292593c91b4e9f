"""Texts of chats and models cut to what a page can hold; escaping them is the template's work."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby

from tunegate.core.visible import visible
from tunegate.reports.format import TIMES

# The longest text of one message that the page holds; the whole text lies in samples.jsonl.gz.
LONGEST = 4_000

# More line breaks in a row than this are counted instead of made: an answer of nothing else would be an empty box.
MOST_BREAKS = 3
_BREAKS = re.compile(rf"[ \t]*(?:\n[ \t]*){{{MOST_BREAKS + 1},}}")

# Signs for blanks, as keyboards and editors have them.
_SIGNS = {"\n": "↵", "\t": "⇥", " ": "␣"}


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A text as the page shows it, and how many characters were left out at its end."""

    text: str
    left_out: int = 0


def excerpt(text: str, longest: int = LONGEST) -> Excerpt:
    """Return the visible form of the first `longest` characters."""
    return Excerpt(visible(text[:longest]), max(0, len(text) - longest))


def passage(text: str, longest: int = LONGEST) -> Excerpt:
    """Return an excerpt in which blanks show: a text of nothing else says so, and many line breaks are counted."""
    found = excerpt(text, longest)
    if found.text and not found.text.strip():
        return Excerpt(f"(blank: {_counted(found.text)})", found.left_out)
    return Excerpt(_BREAKS.sub(_marked, found.text), found.left_out)


def _marked(breaks: re.Match[str]) -> str:
    return f"\n↵{TIMES}{breaks[0].count(chr(10))}\n"


def _counted(blanks: str) -> str:
    """Write runs of blanks with their lengths, the first few of them."""
    runs = [(_SIGNS.get(sign, f"U+{ord(sign):04X}"), len(list(run))) for sign, run in groupby(blanks)]
    words = [f"{sign}{TIMES}{length}" if length > 1 else sign for sign, length in runs]
    return " ".join(words[:6]) + (" …" if len(words) > 6 else "")
