"""The rows that were evaluated, as the page shows them: what broke first, then the rest."""

from __future__ import annotations

import base64
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tunegate.core.chat import text_of
from tunegate.reports.figures import ABSENT, Figure, Node
from tunegate.reports.text import Excerpt, excerpt, passage

FILE = "samples.jsonl.gz"

# So many rows stand in the page as plain HTML (more if more are newly failing), and so many in all.
PLAIN_ROWS = 200
MOST_ROWS = 20_000

# States in the order of what a reader looks for.
STATES = {
    "newly-failing": "Newly failing",
    "both-wrong": "Wrong in both",
    "newly-passing": "Newly passing",
    "both-right": "Right in both",
    "not-scored": "Not scored",
}


SIDES = ("base", "cand")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered, and what came of it; `likelihood` is the likeliest label where it is another one."""

    text: Excerpt
    correct: bool | None
    valid: bool
    likelihood: str

    @property
    def mark(self) -> str:
        """The outcome in words."""
        if self.correct is None:
            return "not scored"
        if self.correct:
            return "right"
        return "wrong" if self.valid else "wrong, no label"


@dataclass(frozen=True, slots=True)
class Sample:
    """One evaluated row. `reference` is what should have been answered, `harm` the categories that were found."""

    id: str
    line: int | None
    state: str
    label: str
    turns: tuple[tuple[str, Excerpt], ...]
    reference: Excerpt
    base: Answer
    tuned: Answer
    tfidf: str
    harm: tuple[str, ...]

    @property
    def state_name(self) -> str:
        """The state in words."""
        return STATES[self.state]

    def record(self) -> list[Any]:
        """Return what the script of the page needs, in the order that it knows."""
        return [
            self.id,
            self.line,
            self.state,
            self.label,
            [[role, turn.text, turn.left_out] for role, turn in self.turns],
            [self.reference.text, self.reference.left_out],
            *(
                [answer.text.text, answer.text.left_out, answer.correct, answer.mark, answer.likelihood]
                for answer in (self.base, self.tuned)
            ),
            self.tfidf,
            list(self.harm),
        ]


@dataclass(frozen=True, slots=True)
class Samples:
    """The evaluated rows: in the page as HTML, all of them packed for the script, and how many of each kind."""

    rows: tuple[Sample, ...]
    total: int
    states: Mapping[str, int]
    system: Excerpt | None

    @property
    def plain(self) -> tuple[Sample, ...]:
        """The rows that stand in the page as HTML: every newly failing one, and at least the first 200."""
        failing = sum(sample.state == "newly-failing" for sample in self.rows)
        return self.rows[: max(PLAIN_ROWS, failing)]

    @property
    def labels(self) -> list[str]:
        """The labels that occur, in order."""
        return sorted({sample.label for sample in self.rows if sample.label})

    def count(self, state: str) -> Figure:
        """Return how many rows are in a state; unknown when no row was scored."""
        scored = self.total > self.states.get("not-scored", 0)
        return Figure(self.states.get(state, 0) if scored else ABSENT, f"{FILE}#{state}", "count")

    @property
    def size(self) -> Figure:
        """How many rows there are."""
        return Figure(self.total, f"{FILE}#", "count")

    @property
    def packed(self) -> str:
        """All rows of the page as JSON, deflated, in base 64; without a clock in it, unlike gzip."""
        records = [sample.record() for sample in self.rows]
        text = json.dumps(records, ensure_ascii=False, separators=(",", ":"))
        return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def samples_view(rows: Iterable[Mapping[str, Any]]) -> Samples:
    """Read the rows once and put what broke first; rows of one state keep their order."""
    states: Counter[str] = Counter()
    made: dict[str, list[Sample]] = {state: [] for state in STATES}
    systems: set[Excerpt | None] = set()
    total = 0
    for total, row in enumerate(rows, start=1):
        sample = _sample(Node(row))
        states[sample.state] += 1
        # A newly failing row is never left out, however many there are.
        if sample.state == "newly-failing" or total <= MOST_ROWS:
            made[sample.state].append(sample)
            systems.add(_system(sample))
    kept = [sample for state in made.values() for sample in state]
    common = next(iter(systems)) if len(systems) == 1 else None
    if common is not None:
        kept = [_without_system(sample) for sample in kept]
    return Samples(tuple(kept), total, states, common)


def _sample(row: Node) -> Sample:
    turns = tuple(
        (excerpt(turn["role"].string(), 40).text or "unknown", passage(text_of(turn["content"].value)))
        for turn in row["prompt"]
    )
    harm = [flag.string().removeprefix("harm:") for flag in row["flags"] if flag.string().startswith("harm:")]
    if row.at("base", "harm").value == "block":
        harm.append("the base model's answer")
    line = row["line"].value
    return Sample(
        id=excerpt(str(row["id"].value or ""), 64).text,
        line=line if isinstance(line, int) else None,
        state=_state(row),
        label=excerpt(row["slice"]["label"].string(), 200).text,
        turns=turns,
        reference=passage(text_of(row["reference"].value)),
        base=_answer(row["base"]),
        tuned=_answer(row["cand"]),
        tfidf=_reference_answer(row["tfidf"]),
        harm=tuple(excerpt(name, 60).text for name in harm),
    )


def _state(row: Node) -> str:
    # Where nothing was generated, the likeliest label counts.
    key = "correct" if any(isinstance(row.at(side, "correct").value, bool) for side in SIDES) else "correct_ll"
    base, tuned = (row.at(side, key).value for side in SIDES)
    if not isinstance(base, bool) or not isinstance(tuned, bool):
        return "not-scored"
    if base:
        return "both-right" if tuned else "newly-failing"
    return "newly-passing" if tuned else "both-wrong"


def _answer(answer: Node) -> Answer:
    correct = answer["correct"].value
    likelihood = answer["label_ll"].string()
    return Answer(
        text=passage(text_of(answer["answer"].value)),
        correct=correct if isinstance(correct, bool) else None,
        valid=answer["valid"].value is not False,
        likelihood=excerpt(likelihood, 200).text if likelihood != answer["label"].value else "",
    )


def _reference_answer(answer: Node) -> str:
    if not answer:
        return ""
    outcome = {True: "right", False: "wrong"}.get(answer["correct"].value, "not scored")
    return f"{excerpt(answer['label'].string(), 200).text}, {outcome}"


def _system(sample: Sample) -> Excerpt | None:
    role, text = sample.turns[0] if sample.turns else ("", None)
    return text if role == "system" else None


def _without_system(sample: Sample) -> Sample:
    return replace(sample, turns=sample.turns[1:])
