"""Answers that stop before their end: at a token limit, in a copy that was too short, in a broken export.

Only what prose does is taken for a sign. Labels, names, headings, lists, code, addresses and short answers need
no end mark, nor do scripts that write none.
"""

from __future__ import annotations

import re

from tunegate.core.patterns import lazy_pattern

# From here on a text is long enough to be prose: three or four sentences, and a last line of some ten words.
MIN_PROSE = 200
MIN_LINE = 60
MIN_WORDS = 10
MIN_SENTENCES = 2

_OPEN = "([{"
_PAUSES = ",;"

# A line that is no prose: item, heading, quotation, row of a table, or code.
_NO_PROSE = lazy_pattern(r"\s*(?:[-*•·+#>|\u2013]|\d{1,3}[.):]|\(?[a-zA-Z][.)]\s|\t|    )")
_MARKER = lazy_pattern(r"(?:\d{1,2}[.)]|[-*•])")
_ANNOUNCED = lazy_pattern(
    r"\b(?:are|include|steps|reasons|following|sind|folgende\w*|schritte|gründe|lauten)\b[^:\n]{0,40}:\s(?:1[.)]|[-*•])\Z",
    re.IGNORECASE,
)
_SENTENCE = lazy_pattern(r"[^\W\d_]{2}[.!?][\"'»“”)]?\s")
# Who writes so does not care for the last mark either.
_INFORMAL = lazy_pattern(
    r"(?:^|\s)[@#]\w|\|\w+\||\.\.|…|!!|\?\?|\bi\b|\b(?:lol|gonna|wanna|haha\w*)\b|[☀-➿🌀-🧿]"
)
# What stands after the last sentence and is none: a caption of a link, a list of names with colons.
_NO_SENTENCE = lazy_pattern(
    r"\b(?:weitere|mehr|more|further|see|siehe|quelle|source|read|click|hier|here)\b|:.*:", re.IGNORECASE
)
_FENCE = lazy_pattern(r"^[ \t]*(?:```|~~~)", re.MULTILINE)
_SMILEY = lazy_pattern(r"[:;=]-?\(\Z")

# Words that a sentence goes on after, whatever it says.
_DANGLING_WORDS = """
    the an of and or because your my their whose
    und oder der des einen einem einer eines weil dass sowie bzw
    et ou les des du aux el los las y il gli della que
"""
_DANGLING = frozenset(_DANGLING_WORDS.split())


def cut_of(text: str) -> str | None:
    """Say how a text looks cut; None where it does not."""
    tail = text.rstrip()
    if not tail:
        return None
    last = tail[-1]
    if ("```" in tail or "~~~" in tail) and len(_FENCE.findall(tail)) % 2:
        return "a code block is left open"
    if last.isalnum() or last in _PAUSES or last in _OPEN:
        return _in_prose(tail, last)
    if last == ":":
        return _announcing(tail)
    before = tail[-2:-1]
    is_marker = before.isdigit() if last in ".)" else last in "-*•" and (not before or before.isspace())
    return _at_marker(tail) if is_marker else None


def _at_marker(tail: str) -> str | None:
    line = tail[tail.rfind("\n") + 1 :].strip()
    is_empty_item = len(line) < len(tail) and _MARKER.fullmatch(line) is not None
    if is_empty_item or _ANNOUNCED.search(tail[-100:]):
        return "the last item of a list is empty"
    return None


def _announcing(tail: str) -> str | None:
    line = tail[tail.rfind("\n") + 1 :]
    if len(line) >= MIN_LINE // 3 and len(line.split()) >= MIN_WORDS // 2 and not _NO_PROSE.match(line):
        return "it ends with a colon and nothing after it"
    return None


def _in_prose(tail: str, last: str) -> str | None:
    """Say how a text that ends in a letter, a pause or an opening bracket looks cut."""
    if last > "\u0530" or len(tail) < MIN_LINE or ("```" in tail and _FENCE.search(tail)):
        return None
    line = tail[tail.rfind("\n") + 1 :]
    words = line.split()
    if len(words) < MIN_WORDS or line.startswith(("\t", "    ", "|", "#")) or not words[0][0].isprintable():
        return None
    opened = line.rfind("(")
    if last in _OPEN or (opened > line.rfind(")") and not _SMILEY.search(line[: opened + 1])):
        return "a bracket is left open"
    final = words[-1]
    if final.lower() in _DANGLING:
        return f"it ends with {final!r}"
    if len(tail) < MIN_PROSE or len(line) < MIN_LINE or _NO_PROSE.match(line):
        return None
    ends = [found.end() for found in _SENTENCE.finditer(tail)]
    if len(ends) < MIN_SENTENCES or _INFORMAL.search(tail) or _NO_SENTENCE.search(tail, ends[-1]):
        return None
    is_name = any(sign in final for sign in "./@#_\\=") or final.isdigit() or final.isupper()
    is_name = is_name or (final.istitle() and words[-2].istitle())
    return None if is_name else "its last sentence has no end mark"
