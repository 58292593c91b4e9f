from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.dataqa import rules_roles
from tunegate.dataqa.check import CheckSettings, DataFile
from tunegate.dataqa.fix import fix
from tunegate.dataqa.hit import KEEP
from tunegate.dataqa.row import Row

Ask = Callable[..., list[tuple[str, str]]]
Mend = Callable[..., Any]

S, D, U, A, T = (
    {"role": role, "content": text}
    for role, text in [
        ("system", "Be brief."),
        ("developer", "Be kind."),
        ("user", "Hi"),
        ("assistant", "Hello"),
        ("tool", "21"),
    ]
)
CALL = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "call00001", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
}
RESULT = {"role": "tool", "tool_call_id": "call00001", "content": "21"}


def chat(*messages: Any) -> dict[str, Any]:
    return {"messages": list(messages)}


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([U, A], []),
        ([S, U, A, U, A], []),
        ([D, U, A], []),
        ([U], ["CHAT011"]),
        ([A], ["CHAT014"]),
        ([S], ["CHAT011", "CHAT014"]),
        ([U, A, U], ["CHAT012"]),
        ([U, A, S], ["CHAT012", "CHAT015"]),
        ([A, U, A], ["CHAT017"]),
        ([S, A, U, A], ["CHAT017"]),
        ([U, S, A], ["CHAT015"]),
        ([S, S, U, A], ["CHAT015"]),
        ([S, D, U, A], ["CHAT015"]),
        ([S, U, S, U, A, S, U, A], ["CHAT015", "CHAT015"]),
        ([U, A, A], ["CHAT016"]),
        ([U, U, A], ["CHAT016"]),
        ([U, A, A, U, U, A], ["CHAT016", "CHAT016"]),
        ([U, CALL], []),
        ([U, CALL, RESULT, A], []),
        ([U, A, CALL, RESULT, A], ["CHAT016"]),
        ([U, CALL, RESULT], ["CHAT012"]),
    ],
)
def test_order_of_roles(ask: Ask, messages: list[Any], expected: list[str]) -> None:
    assert [rule for rule, _ in ask(chat(*messages))] == expected


@pytest.mark.parametrize("odd", [{"content": "Hi"}, {"role": "asistant", "content": "Hi"}, "Hi", {"role": None}])
def test_order_is_not_judged_where_a_role_is_unknown(ask: Ask, odd: Any) -> None:
    for messages in ([odd, A], [U, odd], [odd], [S, odd]):
        rules = {rule for rule, _ in ask(chat(*messages))}
        assert rules <= {"CHAT003", "CHAT004", "CHAT005", "CHAT008"}


def test_a_last_question_is_known_even_where_another_role_is_not(ask: Ask) -> None:
    assert [rule for rule, _ in ask(chat({"role": "humann", "content": "a"}, A, U))] == ["CHAT005", "CHAT012"]


def test_two_questions_in_a_row_by_target(ask: Ask) -> None:
    row = chat(S, U, {**U, "content": [{"type": "image_url", "image_url": {"url": "https://a.b/c.png"}}]}, A)

    assert ask(row, "azure-openai") == ask(row, "azure-phi") == ask(row, "openai") == []
    assert ask(row, "hf") == ask(row, "mistral") == [("CHAT016", "warning")]
    assert ("CHAT016", "error") in ask(row, "together")
    assert ask(chat(A, U, A), "together") == [("CHAT017", "error")]


def test_what_is_asked_of_answers_only_holds_for_supervised_data(ask: Ask) -> None:
    for rule, row in {"CHAT011": chat(U), "CHAT012": chat(U, A, U), "CHAT014": chat(S, A)}.items():
        assert rule in [found for found, _ in ask(row)]
        assert rule not in [found for found, _ in ask(row, kind="dpo")]
        assert rule not in [found for found, _ in ask(row, kind="rft")]
    assert ask(chat(U, A), kind="rft") == [("CHAT013", "error")]
    assert ask(chat(U, A)) == []


@pytest.mark.parametrize(
    ("role", "meant"),
    [("human", "user"), ("User", "user"), (" user ", "user"), ("GPT", "assistant"), ("asistant", "assistant"),
     ("assistent", "assistant"), ("sytem", "system"), ("prompter", "user"), ("narrator", None), ("", None),
     ("tools", "tool")],
)  # fmt: skip
def test_other_names_of_roles_are_known(ask: Ask, mend: Mend, role: str, meant: str | None) -> None:
    row = chat({"role": role, "content": "Hi"}, A)

    assert ask(row) == [("CHAT005", "error")]
    mended = mend(row, "CHAT005")
    assert mended is KEEP if meant is None else mended == chat({"role": meant, "content": "Hi"}, A)


def test_a_developer_becomes_system_where_the_target_has_none(mend: Mend) -> None:
    assert mend(chat(D, U, A), "CHAT005", "mistral") == chat({**D, "role": "system"}, U, A)


def test_the_tail_is_cut_after_the_last_answer(mend: Mend) -> None:
    assert mend(chat(U, A, U), "CHAT012") == chat(U, A)
    assert mend(chat(U, CALL, RESULT, U), "CHAT012") == chat(U, CALL)
    assert mend(chat(A, U), "CHAT012") is KEEP, "no question would be left"


def test_the_cut_leaves_instructions_to_be_moved(mend: Mend, says: Callable[..., list[str]]) -> None:
    assert mend(chat(U, A, S), "CHAT012") is KEEP
    assert says(chat(U, A, S))[0] == "the last message is the system's: move it to the front"
    assert mend(chat(U, A, U, S), "CHAT012") == chat(U, A, S)
    assert mend(chat(U, A, D, RESULT, S, U), "CHAT012") == chat(U, A, D, S)
    assert mend(chat(U, A, S), "CHAT015") == chat(S, U, A)


def test_mending_all_keeps_a_system_message_that_stands_last(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    for tail in ([S], [U, S], [S, U]):
        path.write_text(json.dumps(chat(U, A, *tail)) + "\n")
        fix(DataFile(path), CheckSettings(select=("CHAT",)), unsafe=True)
        assert json.loads(path.read_text()) == chat(S, U, A)


def test_system_messages_move_to_the_front_and_become_one(mend: Mend) -> None:
    other = {"role": "system", "content": "Be kind."}

    assert mend(chat(U, S, A), "CHAT015") == chat(S, U, A)
    assert mend(chat(S, U, other, A), "CHAT015") == chat({**S, "content": "Be brief.\n\nBe kind."}, U, A)
    assert mend(chat(S, S, U, A), "CHAT015") == chat(S, U, A), "a copy is dropped"
    assert mend(chat(S, D, U, A), "CHAT015") is KEEP
    assert mend(chat(U, {**S, "content": [{"type": "text", "text": "a"}]}, A), "CHAT015") is KEEP


def test_messages_of_one_role_are_joined(ask: Ask, mend: Mend) -> None:
    more = {**A, "content": "Who is there?"}

    assert mend(chat(U, A, more), "CHAT016") == chat(U, {**A, "content": "Hello\n\nWho is there?"})
    assert mend(chat(U, A, A), "CHAT016") == chat(U, A), "a copy is dropped"
    assert mend(chat(U, A, CALL, RESULT, A), "CHAT016") == chat(U, {**CALL, "content": "Hello"}, RESULT, A)
    assert mend(chat(U, A, {**A, "weight": 0}), "CHAT016") is KEEP
    assert mend(chat(U, A, {**A, "content": [{"type": "text", "text": "a"}]}), "CHAT016") is KEEP


turns = st.lists(
    st.builds(
        lambda role, text: {"role": role, "content": text},
        st.sampled_from(["system", "user", "assistant", "asistant"]),
        st.text(min_size=1, max_size=4),
    ),
    max_size=7,
)


@settings(deadline=None, max_examples=200)
@given(turns)
def test_a_repair_leaves_nothing_of_what_it_repairs(messages: list[Any]) -> None:
    for rule in rules_roles.RULES:
        row = Row(json.dumps(chat(*messages)).encode())
        for hit in rule.check(row):
            new = KEEP if rule.repair is None else rule.repair(row, hit)
            if new is not KEEP and hit.mended == ("messages",):
                again = Row(json.dumps({"messages": new}).encode())
                left = [later.message for later in rule.check(again)]
                assert left in ([], ["the last message is the system's: move it to the front"])
                break
