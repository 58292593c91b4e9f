"""Rows that a split must not part."""

from __future__ import annotations

import json
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.dataqa.corpus import entry_of
from tunegate.dataqa.entry import Entry
from tunegate.dataqa.groups import groups
from tunegate.dataqa.row import Row
from tunegate.dataqa.settings import NearDuplicate
from tunegate.dataqa.shingles import similarity


def entry(prompt: str, line: int, group: str | None = None) -> Entry:
    messages = [{"role": "user", "content": prompt}, {"role": "assistant", "content": "x"}]
    row = {"messages": messages, "conversation_id": group}
    found = entry_of(Row(json.dumps(row).encode(), "a", line), "train", "conversation_id")
    assert found is not None
    return found


def test_conversations_prompts_and_lines_stay_together() -> None:
    rows = [
        entry("Hi", 1, "c1"),
        entry("Bye", 2, "c1"),
        entry("bye!", 3),
        entry("Why", 4),
        entry("What", 4),
        entry("Who", 5),
    ]
    assert groups(rows, NearDuplicate()) == [[0, 1, 2], [3, 4], [5]]


def naive(rows: list[Entry], threshold: float) -> set[frozenset[int]]:
    sets = {place: {place} for place in range(len(rows))}
    for one, other in combinations(range(len(rows)), 2):
        near = similarity(rows[one].prompt, rows[other].prompt) >= threshold
        if near or (rows[one].group is not None and rows[one].group == rows[other].group):
            joined = sets[one] | sets[other]
            for place in joined:
                sets[place] = joined
    return {frozenset(found) for found in sets.values()}


TEXT = st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), min_size=1, max_size=9).map(" ".join)


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(st.tuples(TEXT, st.sampled_from([None, None, "g", "h"])), max_size=14),
    threshold=st.sampled_from([0.2, 0.4, 0.8]),
)
def test_groups_are_the_chains_of_near_rows(rows: list[tuple[str, str | None]], threshold: float) -> None:
    made = [entry(text, number, group) for number, (text, group) in enumerate(rows)]
    found = groups(made, NearDuplicate(threshold=threshold))
    assert {frozenset(group) for group in found} == naive(made, threshold)
    assert sorted(place for group in found for place in group) == list(range(len(made)))
    assert found == [sorted(group) for group in found]


def test_a_large_template_is_one_group_quickly() -> None:
    rows = [
        entry(f"please tell me today where my order number {number} is and when it comes to my house", number)
        for number in range(1500)
    ]
    assert len(groups(rows, NearDuplicate(threshold=0.4))) == 1
