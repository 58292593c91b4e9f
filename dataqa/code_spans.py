"""Code inside a text, as Markdown marks it: fences and spans in back-ticks, and the prose between them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tunegate.core.patterns import lazy_pattern

# A fence may be indented (in a list) or quoted; back-ticks in its first line make it a span (CommonMark, 4.5).
_FENCE = lazy_pattern(r"[ \t>]*(?P<marks>`{3,}(?=[^`]*\Z)|~{3,})(?P<info>.*)", re.DOTALL)
_BACKTICKS = lazy_pattern("`+")
_PARAGRAPH_END = lazy_pattern(r"\n[ \t]*\n")


@dataclass(frozen=True, slots=True)
class Fence:
    """A code fence: where it begins and ends, the word after its marks, its code, and whether it is closed."""

    start: int
    end: int
    language: str
    code: str
    is_closed: bool


def fences(text: str) -> list[Fence]:
    """Return the code fences of a text; one that is never closed reaches to the end."""
    if "```" not in text and "~~~" not in text:
        return []
    found: list[Fence] = []
    marks, language, start, inside = "", "", 0, 0
    for line_start, line_end in _lines_with_marks(text):
        fence = _FENCE.fullmatch(text, line_start, line_end)
        if fence is None:
            continue
        if not marks:
            marks, start, inside = fence["marks"], line_start, min(line_end + 1, len(text))
            language = (fence["info"].split() or [""])[0].lower()
        elif fence["marks"].startswith(marks) and not fence["info"].strip():
            found.append(Fence(start, line_end, language, text[inside:line_start], True))
            marks = ""
    if marks:
        found.append(Fence(start, len(text), language, text[inside:], False))
    return found


def _lines_with_marks(text: str) -> Iterator[tuple[int, int]]:
    """Give start and end of each line that holds the marks of a fence."""
    following = {mark: text.find(mark) for mark in ("```", "~~~")}
    while places := [place for place in following.values() if place >= 0]:
        first = min(places)
        end = text.find("\n", first)
        end = len(text) if end < 0 else end
        yield text.rfind("\n", 0, first) + 1, end
        for mark, place in following.items():
            if 0 <= place < end:
                following[mark] = text.find(mark, end)


def pieces(text: str) -> Iterator[tuple[str, bool]]:
    """Give the stretches of a text, which joined are the text, and of each whether it is code."""
    if "`" not in text and "~~~" not in text:
        yield text, False
        return
    position = 0
    for fence in fences(text):
        yield from _pieces_of_prose(text[position : fence.start])
        yield text[fence.start : fence.end], True
        position = fence.end
    yield from _pieces_of_prose(text[position:])


def prose(text: str) -> str:
    """Return a text without its code: a sign of its own, U+FFFC, stands in the place of each."""
    if "`" not in text and "~~~" not in text:
        return text
    return "".join("\ufffc" if is_code else piece for piece, is_code in pieces(text))


def _pieces_of_prose(text: str) -> Iterator[tuple[str, bool]]:
    """Give the stretches of a text without fences: a span ends with as many back-ticks as it begins with."""
    runs = list(_BACKTICKS.finditer(text)) if "`" in text else []
    position = number = 0
    while number < len(runs):
        closing = _closing(text, runs, number)
        if closing is None:
            number += 1
            continue
        yield text[position : runs[number].start()], False
        yield text[runs[number].start() : runs[closing].end()], True
        position, number = runs[closing].end(), closing + 1
    yield text[position:], False


def _closing(text: str, runs: list[re.Match[str]], opening: int) -> int | None:
    """Return which run of back-ticks closes another, in the same paragraph; None where none does."""
    length = len(runs[opening][0])
    end = _PARAGRAPH_END.search(text, runs[opening].end())
    limit = end.start() if end else len(text)
    for number in range(opening + 1, len(runs)):
        if runs[number].start() >= limit:
            return None
        if len(runs[number][0]) == length:
            return number
    return None
