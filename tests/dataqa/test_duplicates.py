"""Duplicates, contradictions, and pairs that only look like duplicates."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.core.errors import UsageError
from tunegate.dataqa.corpus import entry_of
from tunegate.dataqa.duplicates import Duplicates, compared, find
from tunegate.dataqa.entry import Entry
from tunegate.dataqa.labels import labelled
from tunegate.dataqa.normal import negations, numbers
from tunegate.dataqa.row import Row
from tunegate.dataqa.settings import NearDuplicate
from tunegate.dataqa.shingles import similarity

LONG = "Hello, I ordered two weeks ago and have not heard from you since, so can you tell me where my parcel"


def entries(*pairs: tuple[str, str], labels: bool = False, system: str = "") -> list[Entry]:
    made = []
    for number, (prompt, answer) in enumerate(pairs, start=1):
        messages = [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
        if system:
            messages.insert(0, {"role": "system", "content": system})
        row = Row(json.dumps({"messages": messages}).encode(), "a.jsonl", number)
        found = entry_of(row, "train", label_path="messages[-1].content" if labels else None)
        assert found is not None
        made.append(found)
    return made


def drops(found: Duplicates) -> dict[int, tuple[str, int]]:
    return {place: (drop.rule, drop.partner) for place, drop in found.drops.items()}


def test_the_first_of_equal_rows_stays() -> None:
    rows = entries(("Hi", "Hello"), ("Hi", "Hello"), ("hi!", "hello."), ("Hi", "Hello"))
    assert drops(find(rows, NearDuplicate(), labelled=False)) == {
        1: ("DUP001", 0),
        2: ("DUP002", 0),
        3: ("DUP001", 0),
    }


def test_a_near_duplicate_names_its_partner_and_likeness() -> None:
    rows = entries((f"{LONG} is?", "order"), (f"{LONG} went?", "order"), labels=True)
    (drop,) = find(rows, NearDuplicate(), labelled=True).drops.values()
    assert (drop.rule, drop.partner) == ("DUP003", 0)
    assert drop.similarity == pytest.approx(similarity(rows[0].prompt, rows[1].prompt))
    assert not find(rows, NearDuplicate(threshold=0.95), labelled=True).drops


@pytest.mark.parametrize(
    ("one", "other", "differs"),
    [
        (f"{LONG} 4711 is?", f"{LONG} 4712 is?", "numbers"),
        ("Is three > than the other one?", "Is three < than the other one?", "numbers"),
        ("I like it very much 👍", "I like it very much 👎", "numbers"),
        (f"{LONG} for two is?", f"{LONG} for three is?", "numbers"),
        (f"{LONG} did arrive today?", f"{LONG} did not arrive today?", "negations"),
        (f"{LONG} kann ich hier bezahlen?", f"{LONG} kann ich hier nicht bezahlen?", "negations"),
        (f"{LONG} Das ist ein Paket von euch", f"{LONG} Das ist kein Paket von euch", "negations"),
    ],
)
def test_another_number_or_negation_is_another_problem(one: str, other: str, differs: str) -> None:
    rows = entries((one, "order"), (other, "order"), labels=True)
    found = find(rows, NearDuplicate(threshold=0.5), labelled=True)
    assert not found.drops
    (flag,) = found.flags
    assert (flag.row, flag.partner, flag.differs) == (1, 0, differs)


def test_near_questions_with_other_labels_stay_and_are_named() -> None:
    rows = entries((f"{LONG} is?", "order"), (f"{LONG} went?", "refund"), labels=True)
    found = find(rows, NearDuplicate(), labelled=True)
    assert not found.drops
    assert not found.conflicts
    assert [flag.differs for flag in found.flags] == ["answer"]


def test_near_questions_with_other_open_answers_stay() -> None:
    rows = entries((f"{LONG} is?", "It is on its way to you."), (f"{LONG} went?", "Please call our courier."))
    assert not find(rows, NearDuplicate(), labelled=False).drops
    rows = entries((f"{LONG} is?", "It comes on day 3."), (f"{LONG} went?", "It comes on day 4."))
    assert not find(rows, NearDuplicate(), labelled=False).drops
    rows = entries((f"{LONG} is?", "It is on its way."), (f"{LONG} went?", "it is on its way!"))
    assert drops(find(rows, NearDuplicate(), labelled=False)) == {1: ("DUP003", 0)}


def test_no_chain_swallows_what_is_far_from_the_kept_row() -> None:
    words = [f"w{chr(97 + number)}" for number in range(26)]
    chain = [(" ".join(words[step : step + 20]), "x") for step in range(6)]
    rows = entries(*chain, labels=True)
    threshold = similarity(rows[0].prompt, rows[1].prompt)
    found = find(rows, NearDuplicate(threshold=threshold), labelled=True)
    assert drops(found) == {1: ("DUP003", 0), 3: ("DUP003", 2), 5: ("DUP003", 4)}


def test_a_contradiction_names_all_its_rows() -> None:
    rows = entries(("Where is it?", "order"), ("where is it", "refund"), ("Hi", "order"), labels=True)
    found = find(rows, NearDuplicate(), labelled=True)
    (conflict,) = found.conflicts
    assert conflict.rows == (0, 1)
    assert (conflict.partner_of(0), conflict.partner_of(1)) == (1, 0)
    assert conflict.kept is None
    assert not found.drops


@pytest.mark.parametrize(
    ("right", "wrong", "kept"), [(1, 1, None), (2, 1, None), (3, 1, "order"), (2, 0, ""), (6, 3, None)]
)
def test_a_clear_majority_is_trusted(right: int, wrong: int, kept: str | None) -> None:
    rows = entries(*[("Where is it?", "order")] * right, *[("Where is it?", "refund")] * wrong, labels=True)
    found = find(rows, NearDuplicate(), labelled=True).conflicts
    assert [conflict.kept for conflict in found] == ([] if kept == "" else [kept])


def test_another_context_is_no_contradiction() -> None:
    rows = entries(("Is it?", "yes"), labels=True, system="Say yes.")
    rows += entries(("Is it?", "no"), labels=True, system="Say no.")
    assert not find(rows, NearDuplicate(), labelled=True).conflicts


def test_open_answers_contradict_when_they_are_unlike() -> None:
    rows = entries(
        ("Tell a joke", "A man walks into a bar."),
        ("Tell a joke", "a man walks into a bar"),
        ("Tell a joke", "Knock"),
    )
    (conflict,) = find(rows, NearDuplicate(), labelled=False).conflicts
    assert not conflict.labelled
    assert conflict.kept is None
    assert conflict.partner_of(2) == 0


def test_labels_are_not_compared_with_each_other() -> None:
    with pytest.raises(UsageError, match="on = 'user'"):
        find(entries(("Hi", "a"), labels=True), NearDuplicate(on="assistant"), labelled=True)


PIECES = [
    "a b c d e f g h",
    "a b c d e f g i",
    "b c d e f g h i",
    "A B C D E F G H!",
    "a b c d e f g 1",
    "a b c d e f g not h",
]
ROWS = st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(["x", "y", "X"])), max_size=14)


@settings(max_examples=200, deadline=None)
@given(pairs=ROWS, threshold=st.sampled_from([0.3, 0.5, 0.6, 0.8]), labels=st.booleans())
def test_every_drop_has_a_kept_partner_as_alike_as_said(
    pairs: list[tuple[str, str]], threshold: float, labels: bool
) -> None:
    rows = entries(*pairs, labels=labels)
    found = find(rows, NearDuplicate(threshold=threshold), labelled=labels)
    for place, drop in found.drops.items():
        row, partner = rows[place], rows[drop.partner]
        assert drop.partner < place
        assert drop.partner not in found.drops
        assert row.label == partner.label
        if drop.rule == "DUP003":
            assert drop.similarity >= threshold
            assert drop.similarity == pytest.approx(similarity(compared(row), compared(partner)))
            assert numbers(row.prompt) == numbers(partner.prompt)
            assert negations(row.prompt) == negations(partner.prompt)
    kept = [place for place in range(len(rows)) if place not in found.drops]
    for one, other in combinations(kept, 2):
        same = (rows[one].prompt, rows[one].answer) == (rows[other].prompt, rows[other].answer)
        assert not same


@pytest.mark.shared
def test_the_real_planted_variants(shared: Path) -> None:
    folder = shared / "data" / "neardup"
    lines = (folder / "banking77_planted.jsonl").read_bytes().split(b"\n")[:-1]
    rows = [entry_of(Row(line, "x", number), "train") for number, line in enumerate(lines, start=1)]
    made, labels = labelled([row for row in rows if row is not None])
    assert labels is not None
    found = find(made, NearDuplicate(shingle="char5"), labelled=True)
    expected = [
        json.loads(line) for line in (folder / "banking77_planted.expected.jsonl").read_text().splitlines()
    ]
    pairs = {frozenset((made[place].line, made[drop.partner].line)) for place, drop in found.drops.items()}
    gone = {line for pair in pairs for line in pair}
    named = {made[place].line for conflict in found.conflicts for place in conflict.rows}
    plain = 0
    for row in expected:
        if row.get("edit") == "answer-changed":
            assert row["line"] in named, row
        elif row.get("edit") == "number" and not row["unchanged"]:
            assert frozenset((row["line"], row["of_line"])) not in pairs, row
        elif "edit" in row and row["normal_equal"]:
            assert row["line"] in gone, row
            plain += 1
    assert plain > 60
