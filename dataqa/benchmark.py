"""Items of evaluation sets in the rows: a model that was trained on them is not measured by them any more.

An item is a field of a line of the evaluation set, or a paragraph of a plain text. A text holds it when it shares
two or more different runs of 13 words with it, or runs that cover half of its words. Runs of 13 words are the
usual measure (GPT-3, Brown et al. 2020, appendix C). Items of fewer words are held as a whole, from eight on. Runs
that many items or many rows have are common text, such as an instruction or a licence, and say nothing.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from tunegate.core.errors import InputError
from tunegate.core.patterns import lazy_pattern

LENGTH = 13
MIN_WORDS = 8
MIN_RUNS = 2
MIN_COVERED = 0.5

# Common text: in more items than this, and in more than this share of them; the same of rows. One item may stand
# in several fields, and a leaked item may have been copied into several rows.
COMMON_ITEMS = 3
COMMON_ROWS = 10
COMMON_SHARE = 0.01

_WORD = lazy_pattern(r"\w+")

Run = tuple[str, ...]


class Item(NamedTuple):
    """A text of an evaluation set: its file and line, the JSON path of its field, and its words."""

    path: str
    line: int
    field: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """What a text shares with an item: how many different runs, which share of the item's words, and one run."""

    item: Item
    runs: int
    covered: float
    evidence: str


def words_of(text: str) -> list[str]:
    """Return the words of a text after NFKC and case folding."""
    return _WORD.findall(text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold())


def _runs(words: Sequence[str], length: int) -> Iterator[Run]:
    return zip(*(words[start:] for start in range(length)), strict=False)


class Benchmarks:
    """The items of evaluation sets, to be found in texts by the runs that they share."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.items = [item for path in paths for item in _read(Path(path))]
        self._places: dict[Run, list[tuple[int, int]]] = {}
        for number, item in enumerate(self.items):
            for start, run in enumerate(_runs(item.words, min(LENGTH, len(item.words)))):
                self._places.setdefault(run, []).append((number, start))
        self._lengths = sorted({len(run) for run in self._places}, reverse=True)
        lines = len({(item.path, item.line) for item in self.items})
        limit = max(COMMON_ITEMS, COMMON_SHARE * lines)
        self._places = {
            run: places
            for run, places in self._places.items()
            if len({(self.items[number].path, self.items[number].line) for number, _ in places}) <= limit
        }

    def shared(self, text: str) -> frozenset[Run]:
        """Return the runs of items that a text holds."""
        words = words_of(text)
        return frozenset(run for length in self._lengths for run in _runs(words, length) if run in self._places)

    def held(self, shared: Iterable[Run]) -> Held | None:
        """Return the item that these runs cover most, if they are enough of it."""
        starts: dict[int, dict[int, Run]] = {}
        for run in shared:
            for number, start in self._places[run]:
                starts.setdefault(number, {})[start] = run
        best: Held | None = None
        for number, runs in sorted(starts.items()):
            item = self.items[number]
            covered = {start + step for start, run in runs.items() for step in range(len(run))}
            share = len(covered) / len(item.words)
            different = len(set(runs.values()))
            if (different >= MIN_RUNS or share >= MIN_COVERED) and (best is None or share > best.covered):
                best = Held(item, different, share, " ".join(runs[min(runs)]))
        return best


def common(found: Iterable[frozenset[Run]], rows: int) -> set[Run]:
    """Return the runs that stand in so many rows that they are common text."""
    counts = Counter(run for runs in found for run in runs)
    return {run for run, count in counts.items() if count > max(COMMON_ROWS, COMMON_SHARE * rows)}


def _read(path: Path) -> Iterator[Item]:
    """Give the items of a file: strings in JSON lines or in a JSON list, or the paragraphs of a plain text."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} under [data] benchmarks is no UTF-8: save it as UTF-8") from error
    except OSError as error:
        raise InputError(f"cannot read {path} under [data] benchmarks: {error.strerror}") from error
    found = [
        Item(str(path), number, field, tuple(words))
        for number, value in _values(text)
        for field, string in _strings(value)
        if len(words := words_of(string)) >= MIN_WORDS
    ]
    if not found:
        raise InputError(f"{path} under [data] benchmarks has no text of {MIN_WORDS} words: name another file")
    yield from found


def _values(text: str) -> Iterator[tuple[int, Any]]:
    """Give the values of a file, each with its line."""
    lines = text.split("\n")
    first = text.lstrip()[:1]
    if first == "[":
        try:
            values = orjson.loads(text)
        except orjson.JSONDecodeError:
            values = None
        if isinstance(values, list):
            yield from enumerate(values, start=1)
            return
    if first == "{":
        for number, line in enumerate(lines, start=1):
            if line.strip():
                try:
                    yield number, orjson.loads(line)
                except orjson.JSONDecodeError as error:
                    raise InputError(
                        f"line {number} of a file under [data] benchmarks is no JSON: {error.msg}: mend it, or "
                        "name a plain text"
                    ) from error
        return
    start, paragraph = 1, ""
    for number, line in enumerate([*lines, ""], start=1):
        if line.strip():
            start = start if paragraph else number
            paragraph += line + "\n"
        elif paragraph:
            yield start, paragraph
            paragraph = ""


def _strings(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Give every string in a value, with the path that leads to it."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _strings(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _strings(inner, f"{path}[{place}]")
