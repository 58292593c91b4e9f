from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.dataqa.hit import KEEP
from tunegate.dataqa.row import Row
from tunegate.dataqa.rules_toolflow import id_not_for_mistral, repeated_id
from tunegate.dataqa.toolcalls import flow_of, renamed

Ask = Callable[..., list[tuple[str, str]]]
Mend = Callable[..., Any]

U = {"role": "user", "content": "Hi"}
A = {"role": "assistant", "content": "Hello"}


def calls(*names: str | None) -> dict[str, Any]:
    function = {"type": "function", "function": {"name": "f", "arguments": "{}"}}
    made = [function if name is None else {"id": name, **function} for name in names]
    return {"role": "assistant", "content": None, "tool_calls": made}


def result(name: Any = None) -> dict[str, Any]:
    return {"role": "tool", **({} if name is None else {"tool_call_id": name}), "content": "21"}


def chat(*messages: Any) -> dict[str, Any]:
    return {"messages": list(messages)}


a, b, c = "call0000a", "call0000b", "call0000c"


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([U, calls(a), result(a), A], []),
        ([U, calls(a)], []),
        ([U, calls(a, b), result(b), result(a), A], []),
        ([U, calls(a), result(a), calls(b), result(b), A], []),
        ([U, calls(a), result(a), A, U, calls(b)], []),
        ([U, calls(a), A], ["TOOL009"]),
        ([U, calls(a), U, A], ["TOOL009"]),
        ([U, calls(a), calls(b), result(b), A], ["TOOL009"]),
        ([U, calls(a, b), result(a), A], ["TOOL009"]),
        ([U, calls(a, b), A], ["TOOL009", "TOOL009"]),
        ([U, calls(a), result(c), A], ["TOOL008"]),
        ([U, calls(a, b), result(a), result(c), A], ["TOOL008"]),
        ([U, calls(a, b), result(c), A], ["TOOL008", "TOOL009"]),
        ([U, calls(a), result(a), result(a), A], ["TOOL008"]),
        ([U, result(a), A], ["TOOL008"]),
        ([U, A, U, result(a), A], ["TOOL008"]),
        ([U, calls(a), U, result(a), A], ["TOOL009"]),
        ([U, calls(a), result(), A], ["TOOL007"]),
        ([U, result(), A], ["TOOL007"]),
        ([U, calls(a), result(7), A], ["TOOL007"]),
        ([U, calls(a), result(""), A], ["TOOL007"]),
        ([U, calls(a, b), result(a), result(), A], ["TOOL007"]),
        ([U, calls(a, a), result(a), result(a), A], ["TOOL010"]),
        ([U, calls(a), result(a), A, U, calls(a), result(a), A], ["TOOL010"]),
        ([U, calls(None), result(a), A], ["TOOL002"]),
        ([U, calls(None), result(), A], []),
        ([U, calls(None, a), result(a), result(b), A], ["TOOL002"]),
        ([U, {**calls(), "content": "x"}, result(a), A], ["TOOL001", "TOOL008"]),
        ([U, {**calls(), "tool_calls": "x"}, result(a), A], ["TOOL001"]),
        ([U, calls(a), {"content": "21"}, A], ["CHAT004"]),
        ([U, calls(a), "21", A], ["CHAT003"]),
        ([U, calls(a), {**result(a), "role": "toool"}, A], ["CHAT005"]),
    ],
)
def test_calls_and_results(ask: Ask, messages: list[Any], expected: list[str]) -> None:
    assert [rule for rule, _ in ask(chat(*messages))] == expected


def test_a_result_needs_its_id_where_the_target_goes_by_ids(ask: Ask) -> None:
    row = chat(U, calls(None), result(), A)
    assert ask(row, "openai") == [("TOOL002", "error"), ("TOOL007", "error")]


def test_the_call_that_waits_is_taken(ask: Ask, mend: Mend) -> None:
    assert mend(chat(U, calls(a), result(), A), "TOOL007") == chat(U, calls(a), {**result(), "tool_call_id": a}, A)
    two = mend(chat(U, calls(a, b), result(b), result(), A), "TOOL007")
    assert two["messages"][3]["tool_call_id"] == a
    both = chat(U, calls(a, b), result(), result(), A)
    assert ask(mend(mend(both, "TOOL007"), "TOOL007")) == []
    assert mend(chat(U, result(), A), "TOOL007") is KEEP


def test_the_likely_call_is_named(says: Callable[..., list[str]]) -> None:
    (message,) = says(chat(U, calls("call_Xy12"), result("call_Xy21"), A))
    assert message.endswith("did you mean 'call_Xy12'?")
    (message,) = says(chat(U, calls(a), result(a), result(a), A))
    assert message.endswith("that call has its result already: keep one")


def test_calls_get_ids_of_their_own_and_results_follow(ask: Ask, mend: Mend) -> None:
    row = chat(U, calls(a, a), result(a), {**result(a), "content": "22"}, A, U, calls(a), result(a), A)
    while ask(row):
        row = mend(row, "TOOL010")
    ids = [item["id"] for message in row["messages"] for item in message.get("tool_calls", [])]
    results = [message["tool_call_id"] for message in row["messages"] if message["role"] == "tool"]
    assert ids == results == [a, "call00001", "call00002"]


def test_ids_for_mistral(ask: Ask, mend: Mend) -> None:
    row = chat(U, calls("call_1", "abcdefghi"), result("abcdefghi"), result("call_1"), A)

    assert ask(row) == ask(row, "openai") == []
    assert ask(row, "mistral") == [("TOOL018", "error")]
    mended = mend(row, "TOOL018", "mistral")
    assert mended == chat(U, calls("call00001", "abcdefghi"), result("abcdefghi"), result("call00001"), A)


names = st.sampled_from([a, b, "x", "call00001"])
turns = st.one_of(
    st.just(U),
    st.just(A),
    st.lists(names, min_size=1, max_size=3).map(lambda found: calls(*found)),
    names.map(result),
)


@settings(deadline=None, max_examples=200)
@given(st.lists(turns, max_size=8))
def test_new_ids_change_nothing_of_what_answers_what(messages: list[Any]) -> None:
    numbers = iter(range(1000))
    before = flow_of(Row(json.dumps(chat(*messages)).encode()))
    after = flow_of(Row(json.dumps(chat(*renamed(messages, lambda old: f"n{next(numbers)}"))).encode()))
    given = [item["id"] for message in messages for item in _calls_of(message)]
    if len(set(given)) == len(given):  # an id given twice (TOOL010) leaves open which call a result answers
        assert len(after.unanswered) == len(before.unanswered)


def _calls_of(message: dict[str, Any]) -> list[Any]:
    found: list[Any] = message.get("tool_calls", [])
    return found


@settings(deadline=None, max_examples=200)
@given(st.lists(turns, max_size=8))
def test_repairs_of_ids_leave_none_to_repair(messages: list[Any]) -> None:
    for rule in (repeated_id, id_not_for_mistral):
        row = Row(json.dumps(chat(*messages)).encode(), target="mistral")
        for hit in rule.check(row):
            assert rule.repair is not None
            mended = rule.repair(row, hit)
            assert list(rule.check(Row(json.dumps({"messages": mended}).encode(), target="mistral"))) == []
            break
