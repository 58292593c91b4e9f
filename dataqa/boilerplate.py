"""Boilerplate: lines that stand in many rows and belong to the pages that texts were taken from.

Lines are counted in two passes over one table of bounded size, so that a million rows take no more memory than
fifty thousand: the first counts what a hash falls on, the second only the lines whose place there is full enough.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import floor

from tunegate.core.patterns import lazy_pattern
from tunegate.dataqa.code_spans import prose
from tunegate.dataqa.entry import Entry

# In more than this share of the rows a line is boilerplate, and in no fewer rows than this.
SHARE = 0.01
FEWEST_ROWS = 3
# What stands in more than half of the answers is how they are meant to be.
STYLE = 0.5
# Fewer words come back by themselves: "Yours sincerely", "Step 1", "Thank you for asking!".
FEWEST_WORDS = 5
# What is shorter is a word, what is longer a paragraph.
SHORTEST, LONGEST = 6, 300
# Four megabytes at most: enough that two lines seldom fall on one place.
MOST_PLACES = 1 << 20
PLACES_OF_A_ROW = 32

_NETWORKS = r"facebook|twitter|x|whatsapp|linkedin|instagram|youtube"
_OF_A_PAGE = lazy_pattern(
    r"\b(?:we|(?:this|our) (?:web ?)?(?:site|page)) uses? cookies\b|\baccept (?:all )?cookies\b"
    r"|\bcookie[- ](?:policy|settings|preferences|einstellungen|richtlinie)|\bcookies (?:akzeptieren|zulassen)\b"
    r"|\b(?:wir|(?:diese|unsere) (?:web)?seite) (?:verwenden|nutzen|verwendet|nutzt) cookies\b"
    r"|\bclick here\b|\bhier klicken\b|\bklicken sie hier\b|^(?:read more|continue reading|learn more)\W*$"
    r"|^(?:weiterlesen|mehr (?:lesen|erfahren))\W*$|\ball rights reserved\b|\balle rechte vorbehalten\b"
    r"|\b(?:sign up for|subscribe to) (?:our|the|my)\b|\bnewsletter (?:abonnieren|anmelden)\b"
    rf"|\bshare (?:this )?(?:on|via) (?:{_NETWORKS})\b|\b(?:auf|bei) (?:{_NETWORKS}) teilen\b"
    rf"|\bfollow us on (?:{_NETWORKS})\b|\bfolgen sie uns (?:auf|bei) (?:{_NETWORKS})\b"
    r"|\b(?:enable|activate) javascript\b|\bjavascript (?:aktivieren|einschalten)\b|^skip to (?:main )?content\W*$"
    r"|^zum inhalt springen\W*$|^back to top\W*$|^nach oben\W*$|^(?:advertisement|anzeige|werbung)\W*$"
    r"|^(?:(?:privacy policy|terms of (?:use|service)|imprint|datenschutz(?:erklärung)?|impressum|agb)\W*)+$"
)
_WORD = lazy_pattern(r"[^\W\d_]{2,}")
# A heading, an item of a list, a row of a table: the same ones come back in texts of one kind.
_STRUCTURE = lazy_pattern(r"[#*|>\d-]|.*:\Z")


@dataclass(frozen=True, slots=True)
class Boilerplate:
    """A line that stands in many rows, and the first of them."""

    line: str
    rows: int
    first: Entry


def find(entries: Sequence[Entry]) -> list[Boilerplate]:
    """Return the lines that stand in more than 1 % of the rows and belong to none, the most frequent first.

    A line counts that says it belongs to a web page, in English or German; or one of five words or more that comes
    back in different answers, but not in more than half of them. Texts of one line are let be, and so are
    headings, lists, tables and code.
    """
    least = max(FEWEST_ROWS, floor(SHARE * len(entries)) + 1)
    counts = array("I", [0]) * min(MOST_PLACES, PLACES_OF_A_ROW * len(entries) + 1)
    size = len(counts)
    for _, of_prompt, of_answer in _rows(entries):
        for place in {hash(line) % size for line in of_prompt | of_answer}:
            counts[place] += 1
    found: dict[str, Boilerplate] = {}
    for entry, of_prompt, of_answer in _rows(entries):
        for line in sorted(line for line in of_prompt | of_answer if counts[hash(line) % size] >= least):
            if line in of_answer or _is_of_a_page(line):
                before = found.get(line) or Boilerplate(line, 0, entry)
                found[line] = replace(before, rows=before.rows + 1)
    most = STYLE * len(entries)
    kept = [
        each
        for line, each in found.items()
        if each.rows >= least and (_is_of_a_page(line) or (each.rows <= most and _is_sentence(line)))
    ]
    _is_of_a_page.cache_clear()
    return sorted(kept, key=lambda each: -each.rows)  # of equals the first stays first


def _rows(entries: Sequence[Entry]) -> Iterator[tuple[Entry, set[str], set[str]]]:
    """Give the lines of prompt and answer of each row."""
    seen: set[int] = set()
    for entry in entries:
        of_prompt = _lines(entry.prompt) if "\n" in entry.prompt else set()
        of_answer = set()
        if "\n" in entry.answer and hash(entry.answer) not in seen:
            seen.add(hash(entry.answer))  # a canned answer that comes again says nothing about its lines
            of_answer = _lines(entry.answer)
        if of_prompt or of_answer:
            yield entry, of_prompt, of_answer


def _lines(text: str) -> set[str]:
    return {line.strip() for line in prose(text).split("\n") if SHORTEST <= len(line) <= LONGEST}


@cache
def _is_of_a_page(line: str) -> bool:
    return _OF_A_PAGE.search(line.casefold()) is not None


def _is_sentence(line: str) -> bool:
    return len(_WORD.findall(line)) >= FEWEST_WORDS and not _STRUCTURE.match(line)
