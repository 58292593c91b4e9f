"""The QUAL rules about one row: what is found in a chat, and what near misses say."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tunegate.core.findings import Severity
from tunegate.dataqa.catalog import BY_ID
from tunegate.dataqa.row import Row
from tunegate.dataqa.rules_quality import RULES

SORRY = "I'm sorry, but I can't help with that."
CUT = "We bring it between nine and five on any day of the week but on Sundays and the"


def chat(user: str, assistant: Any, system: str = "", **more: Any) -> Row:
    messages = [{"role": "system", "content": system}] if system else []
    messages += [{"role": "user", "content": user}, {"role": "assistant", "content": assistant, **more}]
    return Row(json.dumps({"messages": messages}, ensure_ascii=False).encode())


def found(row: Row) -> list[str]:
    return [
        rule.id
        for rule in RULES
        if not rule.needs or any(need in row.raw for need in rule.needs)
        for _ in rule.check(row)
    ]


@pytest.mark.parametrize(
    ("row", "rules"),
    [
        (chat("Where is my parcel?", SORRY), ["QUAL001"]),
        (chat("Wo ist mein Paket?", "Es tut mir leid, aber dabei kann ich nicht helfen."), ["QUAL001"]),
        (chat("When do you bring it?", CUT), ["QUAL002"]),
        (chat("Is it here?", "no " * 20), ["QUAL004"]),
        (chat("Repeat the word test 20 times.", "test " * 20), []),
        (chat("Schreibe ein Lied.", "La la la la la la la la la la"), []),
        (chat("Wann kommt mein Paket aus Bonn an?", "Wann kommt mein Paket aus Bonn an?"), ["QUAL005"]),
        (chat("Sort it.", "refund", "Answer only in JSON."), ["QUAL009"]),
        (chat("Sortiere das.", "Erstattung", "Antworte nur in JSON."), ["QUAL009"]),
        (chat("Where is my parcel?", "It comes on Friday."), []),
        (chat("Where is my parcel?", "I'm sorry, but your parcel was lost."), []),
        (chat("Wo ist mein Paket?", "Es tut mir leid, aber Ihr Paket ist verloren gegangen."), []),
        (chat("I want my money back.", "refund_request", "Name the intent."), []),
        (chat("Sort it.", '```json\n{"topic": "refund"}\n```', "Answer only in JSON."), []),
        (chat("Is 17 a prime number?", "Yes"), []),
        (chat("How much is 6 times 7?", "42"), []),
    ],
)  # fmt: skip
def test_a_fault_gives_its_rule_and_a_near_miss_none(row: Row, rules: list[str]) -> None:
    assert found(row) == rules


@pytest.mark.parametrize("answer", [SORRY, CUT, "no " * 20, "asdkj qwrtz sdfgh jklsd"])
def test_what_is_not_trained_is_not_looked_at(answer: str) -> None:
    call = {"id": "call00001", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    assert found(chat("Where is it?", answer, weight=0)) == []
    assert found(chat("Where is it?", answer, tool_calls=[call])) == []
    assert found(chat(answer, "It comes on Friday.")) == []


def test_the_place_is_that_of_the_answer() -> None:
    (hit,) = BY_ID["QUAL001"].check(chat("Where is it?", [{"type": "text", "text": SORRY}], "Be brief."))
    assert hit.at == ("messages", 2, "content")


def test_only_broken_json_is_an_error() -> None:
    assert {rule.id for rule in RULES if rule.severity is Severity.ERROR} == {"QUAL009"}


def test_every_answer_is_named() -> None:
    turns = [{"role": "user", "content": "And?"}, {"role": "assistant", "content": SORRY}] * 3
    row = Row(json.dumps({"messages": turns}).encode())
    assert [hit.at[1] for hit in BY_ID["QUAL001"].check(row)] == [1, 3, 5]


UNITS = (
    "a",
    "a ",
    "(",
    "1. ",
    "```\n",
    "\n",
    "as an AI ",
    "ü ",
    "日本",
    "!?#",
    "`",
    "{",
    "<",
    "als KI kann ich ",
    "|a",
    ": ",
)


@pytest.mark.parametrize("unit", UNITS)
def test_huge_texts_take_no_time(unit: str) -> None:
    started = time.process_time()
    found(chat("Why?", unit * 50_000, "Answer only in JSON."))
    found(
        chat(
            f"Wie ist das? {unit * 50_000}", f"The {unit * 50_000} that is there and was", f"JSON {unit * 50_000}"
        )
    )
    found(chat("Nochmals: das und der?", f"{unit * 400} {unit * 400} and the end of the {unit * 20_000}"))
    assert time.process_time() - started < 3
