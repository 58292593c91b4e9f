from __future__ import annotations

import json
from typing import Any

from tunegate.dataqa import rules_set
from tunegate.dataqa.corpus import entry_of
from tunegate.dataqa.entry import Entry
from tunegate.dataqa.hit import Hit
from tunegate.dataqa.row import Row
from tunegate.dataqa.rule import Rule
from tunegate.dataqa.settings import DEFAULTS

TURNS = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]


def entries(*rows: Any, path: str = "a.jsonl") -> list[Entry]:
    found = [entry_of(Row(json.dumps(row).encode(), path, line), "train") for line, row in enumerate(rows, 1)]
    assert None not in found
    return [entry for entry in found if entry is not None]


def found(rule: Rule, among: list[Entry]) -> list[tuple[str, int, str]]:
    hits: list[tuple[Entry, Hit]] = list(rule.check(among, DEFAULTS))
    return [(entry.path, entry.line, hit.message) for entry, hit in hits]


def with_system(text: str | None, role: str = "system") -> dict[str, Any]:
    return {"messages": ([] if text is None else [{"role": role, "content": text}]) + TURNS}


def answered(text: str) -> dict[str, Any]:
    return {"messages": [TURNS[0], {"role": "assistant", "content": text}]}


def with_tools(*tools: dict[str, Any]) -> dict[str, Any]:
    return {"messages": TURNS, "tools": [{"type": "function", "function": tool} for tool in tools]}


def test_a_system_message_in_no_row_or_in_each_is_even() -> None:
    rule = rules_set.uneven_system
    assert found(rule, entries(*[with_system(None)] * 3)) == []
    assert found(rule, entries(*[with_system("Be brief.")] * 3)) == []
    assert found(rule, entries(with_system("Be brief."), with_system("Be brief.", "developer"))) == []
    assert found(rule, entries(with_system("You are a banker."), with_system("You are a doctor."))) == []


def test_missing_system_messages_are_told_once_a_file() -> None:
    rows = entries(*[with_system("Be brief.")] * 90, *[with_system(None)] * 10)
    other = entries(with_system(None), path="b.jsonl")

    (here, there) = found(rules_set.uneven_system, [*rows, *other])
    assert here == (
        "a.jsonl",
        91,
        "11 rows of 101 have no system message (lines 91, 92, 93, 94, 95 and 5 more): "
        "give all rows the one that will be used, or none",
    )
    assert there[:2] == ("b.jsonl", 1)
    assert "(line 1)" in there[2]


def test_spellings_of_one_system_message() -> None:
    rows = entries(
        with_system("Be brief."), with_system("Be  brief."), with_system("be brief."), with_system("Be brief.")
    )
    messages = found(rules_set.uneven_system, rows)

    assert [line for _, line, _ in messages] == [2, 3]
    assert messages[0][2] == (
        "the system message of 1 row (line 2) differs from that of 2 rows in case or white space only: "
        "write it in one way"
    )


def test_reasoning_in_all_answers_or_in_none_is_even() -> None:
    rule = rules_set.uneven_reasoning
    thinks = answered("<think>\nWell.\n</think>\n\nHello")
    assert found(rule, entries(thinks, thinks, thinks)) == []
    assert found(rule, entries(*[answered("Hello")] * 3)) == []
    assert found(rule, entries(answered("Write `<think>` first"), answered("The `</think>` tag closes it"))) == []
    assert found(rule, entries(answered("I think <b>so</b>"), answered("A thought: none"))) == []


def test_reasoning_in_a_part_is_told_at_the_smaller_part() -> None:
    thinks, plain = answered("<think>Well.</think>Hello"), answered("Hello")

    ((_, line, message),) = found(rules_set.uneven_reasoning, entries(thinks, plain, thinks, thinks))
    assert line == 2
    assert message == (
        "1 row of 4 does not reason in tags such as <think> (line 2), the others do: let all, or none"
    )
    ((_, line, message),) = found(rules_set.uneven_reasoning, entries(plain, plain, thinks))
    assert line == 3


def test_half_a_pair_of_reasoning_tags_is_told_for_each_row() -> None:
    for text in ("<think>...", "Well.</think>Hello", "<thinking>a</think>"):
        rows = entries(answered("Hello"), answered(text), answered(text))
        assert [line for _, line, _ in found(rules_set.uneven_reasoning, rows)] == [2, 3], text


def test_escaped_tags_are_tags() -> None:
    raw = json.dumps(answered("<think>Well.</think>Hello")).replace("<", "\\u003c").encode()
    entry = entry_of(Row(raw), "train")
    assert entry is not None
    assert entry.reasoning == "whole"


def test_tools_of_one_name_have_one_definition() -> None:
    rate = {"name": "rate", "parameters": {"type": "object", "properties": {"a": {"type": "string"}}}}
    same = dict(reversed(rate.items()))
    rule = rules_set.uneven_tools

    assert found(rule, entries(with_tools(rate), with_tools(same), with_tools({"name": "other"}))) == []
    rows = entries(
        with_tools(rate), with_tools(rate), with_tools({**rate, "description": "Rates"}), {"messages": TURNS}
    )
    assert found(rule, rows) == [
        (
            "a.jsonl",
            3,
            "the tool 'rate' is defined here (line 3) otherwise than in 2 rows (line 1): use one definition",
        )
    ]
    ((_, _, message),) = found(rule, [*rows, *entries(with_tools({"name": "rate"}), path="b.jsonl")])
    assert "and in 1 more way" in message


def test_each_name_is_told_once() -> None:
    rows = entries(*[with_tools({"name": "rate", "description": str(number)}) for number in range(20)])
    assert len(found(rules_set.uneven_tools, rows)) == 1
