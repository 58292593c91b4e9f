"""Screening of texts and of whole files, by a back-end.

A back-end judges texts; everything else (sides, decisions, files, counts) is the same for all. Another one is one
file beside `local.py` and one entry in `BACKENDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from tunegate.core.errors import InputError, ProviderError
from tunegate.core.jsonl import decode, dumps, row_id
from tunegate.core.lines import Line, read_lines
from tunegate.core.packed import packing
from tunegate.core.progress import Advance, silent
from tunegate.safety.judgement import (
    BANDS,
    CATEGORIES,
    DECISIONS,
    BlockAt,
    Decision,
    Judgement,
    Score,
    checked,
    decide,
    reached,
)
from tunegate.safety.texts import Piece, Side, pieces

SIDES: tuple[Side, ...] = ("prompt", "completion")


class Screener(Protocol):
    """A back-end."""

    @property
    def name(self) -> str:
        """The name under which it is chosen."""

    def describe(self) -> dict[str, Any]:
        """Say what judges: backend, model, api_version, scale, and a note on what it cannot do."""

    def screen(self, texts: Sequence[str]) -> list[Judgement]:
        """Judge each text, in order. Raises ProviderError when nothing can be judged at all."""


def _local(_settings: Any) -> Screener:
    from tunegate.safety.local import LocalScreener

    return LocalScreener()


# Each takes the [safety] table of the configuration.
BACKENDS: Mapping[str, Callable[[Any], Screener]] = {"local": _local}


def judge(texts: Sequence[str], screener: Screener) -> list[Judgement]:
    """Judge texts, each distinct one once. Raises ProviderError when the back-end skips one."""
    distinct = list(dict.fromkeys(texts))
    found = screener.screen(distinct) if distinct else []
    if len(found) != len(distinct):
        raise ProviderError(f"{screener.name} gave {len(found)} judgements for {len(distinct)} texts: start again")
    known = dict(zip(distinct, found, strict=True))
    return [known[text] for text in texts]


def verdicts(texts: Sequence[str], screener: Screener, block_at: BlockAt) -> list[dict[str, Any]]:
    """Return for each text what was decided and why, as in a line of `safety.jsonl`."""
    checked(block_at)
    described = screener.describe()
    return [
        {
            "decision": decide(judgement, block_at),
            "categories": _scores([judgement], block_at),
            "blocklists": list(judgement.blocklists),
            "reason": judgement.error,
            "backend": screener.name,
            "api_version": described.get("api_version"),
        }
        for judgement in judge(texts, screener)
    ]


def _scores(judgements: Sequence[Judgement], block_at: BlockAt) -> dict[str, dict[str, Any]]:
    """Return the worst score of each category, and whether it reaches the threshold."""
    worst: dict[str, Score] = {}
    for judgement in judgements:
        for name, score in judgement.categories.items():
            if name not in worst or _rank(score) > _rank(worst[name]):
                worst[name] = score
    return {
        name: asdict(score) | {"blocked": name in block_at and reached(score, block_at[name]) is True}
        for name, score in sorted(worst.items())
    }


def _rank(score: Score) -> tuple[float, float, int]:
    return score.severity or 0, score.probability or 0.0, BANDS.index(score.band)


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of a file that is screened: its texts, or why it has none."""

    row_id: str
    path: str
    line: int
    pieces: tuple[Piece, ...]
    reason: str | None


# Faults that leave no doubt about the text: a number that loses digits is no text.
_HARMLESS_FAULTS = ("number",)
_TEXTS_AT_ONCE = 2048


def screen_file(
    paths: Sequence[Path],
    screener: Screener,
    block_at: BlockAt,
    out: Path,
    advance: Advance = silent,
    *,
    relative_to: Path | None = None,
) -> dict[str, Any]:
    """Screen every chat of the files, write one line for each to `out`, and return the section of the result.

    A line that is no sound chat is decided `error`, with the reason; blank lines are passed over. Paths are
    written as given, or relative to a folder. Raises InputError when a file cannot be read or has no row, and
    ProviderError when the back-end fails as a whole; `out` is then as it was.
    """
    checked(block_at)
    described = screener.describe()
    counted = _Counts()
    with packing(out) as stream:
        for batch in _batches(_rows(paths, relative_to, advance)):
            texts = [piece.text for row in batch for piece in row.pieces]
            judged = iter(judge(texts, screener))
            for row in batch:
                found = [next(judged) for _ in row.pieces]
                line = _line(row, found, block_at) | {
                    "backend": screener.name,
                    "api_version": described.get("api_version"),
                }
                counted.add(row, found, line, block_at)
                stream.write(dumps(line) + b"\n")
    return {
        "backend": screener.name,
        "model": described.get("model"),
        "api_version": described.get("api_version"),
        "block_at": dict(block_at),
        **counted.section(),
        "figures": described.get("figures"),
        "note": described.get("note"),
    }


def _rows(paths: Sequence[Path], relative_to: Path | None, advance: Advance) -> Iterator[_Row]:
    total, done = sum(path.stat().st_size for path in paths if path.is_file()), 0
    for path in paths:
        below = relative_to is not None and path.is_relative_to(relative_to)
        shown = (path.relative_to(relative_to) if relative_to and below else path).as_posix()
        empty = True
        for line in read_lines(path):
            done += len(line.raw) + 1
            if line.raw.strip():
                empty = False
                yield _row(line, shown)
                advance(min(done, total), total, shown)
        if empty:
            raise InputError(f"{path} holds no row: check the path, or how the file was made")


def _row(line: Line, path: str) -> _Row:
    decoded = decode(line.raw)
    found: list[Piece] = []
    reason = next((fault.message for fault in decoded.faults if fault.kind not in _HARMLESS_FAULTS), None)
    if reason is None:
        try:
            found = pieces(decoded.value)
        except ValueError as error:
            reason = str(error)
    return _Row(row_id(line.raw, decoded), path, line.number, tuple(found), reason)


def _batches(rows: Iterator[_Row]) -> Iterator[list[_Row]]:
    batch: list[_Row] = []
    texts = 0
    for row in rows:
        batch.append(row)
        texts += len(row.pieces)
        if texts >= _TEXTS_AT_ONCE:
            yield batch
            batch, texts = [], 0
    if batch:
        yield batch


def _line(row: _Row, judged: Sequence[Judgement], block_at: BlockAt) -> dict[str, Any]:
    """Return the line of a row but for the back-end; it holds no text of the chat."""
    decisions = [decide(judgement, block_at) for judgement in judged]
    worst: Decision = "error" if row.reason else max(decisions, key=DECISIONS.index)
    reasons = [row.reason, *(judgement.error for judgement in judged)]
    return {
        "row_id": row.row_id,
        "path": row.path,
        "line": row.line,
        "decision": worst,
        "reason": next((reason for reason in reasons if reason), None),
        "categories": _scores(judged, block_at),
        "where": [
            {"message": piece.message, "side": piece.side, "decision": decision}
            for piece, decision in zip(row.pieces, decisions, strict=True)
            if decision != "allow"
        ],
        "blocklists": sorted({name for judgement in judged for name in judgement.blocklists}),
    }


class _Counts:
    """The figures of a screening, counted row by row."""

    def __init__(self) -> None:
        self._rows = dict.fromkeys(DECISIONS, 0)
        self._texts = {side: dict.fromkeys(DECISIONS, 0) for side in SIDES}
        self._bands = {name: {side: dict.fromkeys(BANDS, 0) for side in SIDES} for name in CATEGORIES}
        self._blocked = dict.fromkeys(CATEGORIES, 0)

    def add(self, row: _Row, judged: Sequence[Judgement], line: Mapping[str, Any], block_at: BlockAt) -> None:
        """Count a row and its texts."""
        self._rows[line["decision"]] += 1
        for piece, judgement in zip(row.pieces, judged, strict=True):
            self._texts[piece.side][decide(judgement, block_at)] += 1
            for name, score in judgement.categories.items():
                if name in self._bands:
                    self._bands[name][piece.side][score.band] += 1
        for name, score in line["categories"].items():
            if name in self._blocked:
                self._blocked[name] += score["blocked"]

    def section(self) -> dict[str, Any]:
        """Return rows, texts by decision and side, rows blocked by category, and texts by band."""
        return {
            "rows": sum(self._rows.values()),
            **{f"rows_{name}": self._rows[decision] for name, decision in _COUNTED.items()},
            "counts": self._texts,
            "blocked_by": self._blocked,
            "bands": self._bands,
        }


_COUNTED: Mapping[str, Decision] = {"blocked": "block", "flagged": "flag", "error": "error"}
