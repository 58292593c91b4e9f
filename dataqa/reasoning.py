"""Tags in which answers think aloud: `<think>...</think>` and its like."""

from __future__ import annotations

from typing import Literal

from tunegate.core.patterns import lazy_pattern
from tunegate.dataqa.row import Row

Reasoning = Literal["", "whole", "open"]

_OPEN = lazy_pattern(r"<(think|thinking|reasoning|thought)>")
_CLOSE = lazy_pattern(r"</(?:think|thinking|reasoning|thought)>")


def reasoning_of(row: Row) -> Reasoning:
    """Return whether an answer of the row reasons in tags, or holds one half of a pair only ("open").

    Only a text that begins with the opening tag reasons: elsewhere the tag is a word among others. A closing tag
    without its opening is a half too, unless it stands in back-ticks: templates that write the opening tag into
    the prompt leave it behind.
    """
    if b"<" not in row.raw and b"\\u003" not in row.raw:
        return ""  # no tag, and none that is written as an escape
    found: Reasoning = ""
    for _at, _role, text in row.texts("assistant"):
        opening = _OPEN.match(text.lstrip())
        if opening is None:
            closing = _CLOSE.search(text)
            if closing and not _OPEN.search(text) and text[closing.end() : closing.end() + 1] != "`":
                return "open"
        elif f"</{opening[1]}>" not in text:
            return "open"
        else:
            found = "whole"
    return found
