"""Over-long rows: the refusal that helps, and cuts between turns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.dataqa.entry import Entry
from tunegate.dataqa.overlong import NAMED, parts_of, refusal


class Words:
    """Counts words."""

    name = "words"
    exact = True

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def rows(self, rows: Sequence[Mapping[str, Any]]) -> list[int | None]:
        return [sum(self.count([message["content"] for message in row["messages"]])) for row in rows]

    def prompt(self, row: Mapping[str, Any]) -> int:
        return 0

    def refusal(self, row: Mapping[str, Any]) -> str:
        return ""


def chat(*lengths: int, system: int = 0) -> dict[str, Any]:
    messages = [{"role": "system", "content": "s " * system}] if system else []
    for number, length in enumerate(lengths):
        messages.append(
            {"role": "assistant" if number % 2 else "user", "content": f"t{number} " + "w " * (length - 1)}
        )
    return {"messages": messages, "id": 7}


def accepts(part: dict[str, Any]) -> bool:
    return True


def test_a_refusal_names_every_row_and_the_way_out() -> None:
    entry = Entry("a.jsonl", 1, "0", "train", "", "", "", "", tokens=2000)
    text = str(refusal([entry, entry._replace(line=9, tokens=1500)], 1024, "tiny"))
    assert "2 rows are longer than 1,024 tokens (counted with tiny)" in text
    assert "a.jsonl:1: 2,000 tokens" in text
    assert "a.jsonl:9: 1,500 tokens" in text
    assert '"drop"' in text
    assert '"split"' in text
    many = str(refusal([entry] * (NAMED + 5), 1024, "tiny"))
    assert "and 5 more" in many
    assert str(refusal([entry], 1024, "tiny")).startswith("1 row is")


def test_cuts_are_made_before_the_user_speaks() -> None:
    parts = parts_of(chat(3, 3, 3, 3, 3, 3, system=2), 14, Words(), accepts)
    assert [[message["content"].split()[0] for message in part["messages"]] for part in parts] == [
        ["s", "t0", "t1", "t2", "t3"],
        ["s", "t4", "t5"],
    ]
    assert all(part["id"] == 7 for part in parts)


def test_what_cannot_be_cut_has_no_parts() -> None:
    assert parts_of(chat(3, 30, 3, 3), 14, Words(), accepts) == []
    assert parts_of(chat(3, 3, 3, 3), 7, Words(), lambda part: "t3" in part["messages"][-1]["content"]) == []
    silent = chat(3, 3, 3, 3)
    silent["messages"][1]["weight"] = 0
    assert parts_of(silent, 7, Words(), accepts) == []


def test_a_call_and_its_result_stay_together() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "t0 w w"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "r"},
        {"role": "assistant", "content": "t3 w"},
        {"role": "user", "content": "t4 w w"},
        {"role": "assistant", "content": "t5"},
    ]
    parts = parts_of({"messages": messages}, 7, Words(), accepts)
    assert [len(part["messages"]) for part in parts] == [4, 2]


@settings(max_examples=150, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 9), min_size=2, max_size=12),
    limit=st.integers(4, 40),
    system=st.integers(0, 3),
)
def test_no_turn_is_lost_and_every_part_fits(lengths: list[int], limit: int, system: int) -> None:
    if len(lengths) % 2:
        lengths = lengths[:-1]
    whole = chat(*lengths, system=system)
    parts = parts_of(whole, limit, Words(), accepts)
    head = 1 if system else 0
    if parts:
        turns = [message for part in parts for message in part["messages"][head:]]
        assert turns == whole["messages"][head:]
        assert all((Words().rows([part])[0] or 0) <= limit for part in parts)
        assert all(part["messages"][head]["role"] == "user" for part in parts)
        assert all(part["messages"][-1]["role"] == "assistant" for part in parts)
    else:
        assert any(one + other + system > limit for one, other in zip(lengths[::2], lengths[1::2], strict=True))
