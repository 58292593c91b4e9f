"""Markdown for step summaries and comments in which text of any source is shown and can do nothing else.

Signs of Markdown and HTML are escaped, and mentions, references and links are broken up, so that a label or a file
name cannot call anybody.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from tunegate.core.visible import visible

# A comment takes 64 KB, and one byte more loses all of it.
MOST_BYTES = 60_000

_SPECIAL = re.compile(r"([\\`*_{}\[\]#!|~$])")
_START = re.compile(r"^(\d*)([-+.)=])")
_CALLS = re.compile(r"(@|://|\bwww\.|#(?=\d))")
_SPACES = re.compile(r"[ \t\n\f\v]+")
_ZERO_WIDTH = "\u200b"


def safe(text: str) -> str:
    """Return text of any source as Markdown that shows it and does nothing else, in one line."""
    plain = _SPACES.sub(" ", visible(text)).strip(" ")
    broken = _CALLS.sub(lambda found: found[0] + _ZERO_WIDTH, plain)
    return html.escape(_SPECIAL.sub(r"\\\1", broken), quote=False)


def at_start(markdown: str) -> str:
    """Return safe Markdown for the start of a line, where more signs act."""
    return _START.sub(r"\1\\\2", markdown)


def cut(lines: Iterable[str], rest: str) -> str:
    """Join whole lines up to `MOST_BYTES`; where some are left out, `rest` says where they are."""
    end = f"\n{rest}\n"
    room = MOST_BYTES - len(end.encode())
    kept: list[str] = []
    for line in lines:
        room -= len(line.encode()) + 1
        if room < 0:
            return "\n".join(kept) + "\n" + end
        kept.append(line)
    return "\n".join(kept).rstrip() + "\n"
