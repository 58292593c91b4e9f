"""One way to mask what must not be shown: personal data and secrets, in data, findings and reports alike."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from tunegate.dataqa.hiding import hiding

STARS = "***"


@dataclass(frozen=True, slots=True)
class Match:
    """A stretch of a text that must not be shown.

    `start` and `end` count characters, `rule` is the id of the rule that it breaks, `kind` says in words what it
    is, `masked` is what stands in its place: enough to recognise it by, too little to use it.
    """

    start: int
    end: int
    rule: str
    kind: str
    masked: str


def show_first(text: str, count: int) -> str:
    """Return the first `count` characters of a text, and stars in place of the rest."""
    return text[:count] + STARS


def without_overlaps(matches: Iterable[Match]) -> list[Match]:
    """Return the matches in the order of the text; of two that overlap only the one that was named first stays."""
    kept: list[Match] = []
    for match in matches:
        place = bisect_right(kept, match.start, key=_by_start)
        is_after = place == 0 or kept[place - 1].end <= match.start
        if is_after and (place == len(kept) or match.end <= kept[place].start):
            kept.insert(place, match)
    return kept


def find_all(text: str, find: Callable[[str], Iterable[Match]]) -> list[Match]:
    """Return the matches of `find` in the order of the text and without overlaps, until none is left to find.

    What stands right beside a match may only be recognised once that is masked, so the masked text is searched
    again; a match that reaches into an earlier one takes it up. What unseen characters or escapes hide is found
    too, and the match holds them.
    """
    found: list[Match] = []
    while True:
        original = _Original(found)
        seen = without_overlaps(map(original.match, _find_behind(mask(text, found), find)))
        new = [match for match in seen if not _is_held(match, found)]
        if not new:
            return found
        rest = [earlier for earlier in found if not _is_held(earlier, new)]
        found = sorted([*rest, *new], key=_by_start)


def _find_behind(text: str, find: Callable[[str], Iterable[Match]]) -> Iterator[Match]:
    """Give the matches of a text as it is meant, which may be longer, then of the text as it stands."""
    hidden = [Match(start, end, "", "", meant) for start, end, meant in hiding(text)]
    if hidden:
        yield from map(_Original(hidden).match, find(mask(text, hidden)))
    yield from find(text)


def _by_start(match: Match) -> int:
    return match.start


def _is_held(inner: Match, outer: Sequence[Match]) -> bool:
    """Whether one of `outer`, in their order and without overlaps, holds all of `inner`."""
    place = bisect_right(outer, inner.start, key=_by_start)
    return place > 0 and inner.end <= outer[place - 1].end


class _Original:
    """The places of a text of which some matches were masked."""

    def __init__(self, found: Sequence[Match]) -> None:
        self._found = found
        self._begins: list[int] = []
        self._closes: list[int] = []
        shift = 0
        for match in found:
            begin = match.start - shift
            close = begin + len(match.masked)
            self._begins.append(begin)
            self._closes.append(close)
            shift = match.end - close

    def match(self, match: Match) -> Match:
        """Return a match of the masked text with its places here; half a masked stretch counts as whole."""
        return replace(match, start=self._start(match.start), end=self._end(match.end))

    def _start(self, place: int) -> int:
        number = bisect_right(self._begins, place) - 1
        if number < 0:
            return place
        masked = self._found[number]
        return masked.start if place < self._closes[number] else place + masked.end - self._closes[number]

    def _end(self, place: int) -> int:
        number = bisect_left(self._begins, place) - 1
        if number < 0:
            return place
        masked = self._found[number]
        return masked.end if place <= self._closes[number] else place + masked.end - self._closes[number]


def mask(text: str, matches: Iterable[Match]) -> str:
    """Return the text with every match masked; of matches that overlap nothing stays in sight."""
    pieces: list[str] = []
    position = 0
    for match in sorted(matches, key=lambda match: (match.start, -match.end)):
        if match.start >= position:
            pieces += [text[position : match.start], match.masked]
        position = max(position, match.end)
    return "".join(pieces) + text[position:]
