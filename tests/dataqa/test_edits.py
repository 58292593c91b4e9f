"""Edits of one row: what is cleaned, masked, found; and that nothing secret is shown."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.dataqa.edits import REASONS, cleaned, placeholder, secrets_of, window, without_personal
from tunegate.dataqa.masking import Match

KEY = "sk-proj-" + "aB3dE5fG7hJ9kL2mN4pQ6rS8"


def row(user: str, assistant: str = "Yes.", **more: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]
    return {"messages": messages, **more}


def everything(rule: str) -> bool:
    return True


def test_texts_are_cleaned_and_named() -> None:
    found, changes = cleaned(row("GrÃ¼ÃŸe", "Yes.\u00a0 "))
    assert found == row("Grüße", "Yes.")
    assert [(change.rule, change.where) for change in changes] == [
        ("TXT001", "$.messages[0].content"),
        ("TXT007", "$.messages[1].content"),
    ]
    assert (changes[0].before, changes[0].after) == ("GrÃ¼ÃŸe", "Grüße")


def test_every_reason_of_a_ledger_can_be_explained() -> None:
    from tunegate.dataqa.catalog import BY_ID
    from tunegate.dataqa.clean import STEPS
    from tunegate.dataqa.rule_text import explain

    assert set(STEPS) <= set(REASONS)
    for rule_id in REASONS:
        assert next(explain(BY_ID[rule_id])).startswith(rule_id)


def test_a_clean_row_is_the_same_object() -> None:
    given_row = row("Hi")
    assert cleaned(given_row) == (given_row, [])
    assert cleaned(given_row)[0] is given_row
    assert without_personal(given_row, everything)[0] is given_row


def test_calls_results_and_parts() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": "x\u00a0y "}'}}
    messages = [
        {
            "role": "user",
            "content": [{"type": "text", "text": " Hi "}, {"type": "image_url", "image_url": {"url": " u "}}],
        },
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": " raw\u00a0"},
        {"role": "assistant", "content": "Done "},
    ]
    found, changes = cleaned({"messages": messages})
    assert found["messages"][0]["content"][0]["text"] == "Hi"
    assert found["messages"][0]["content"][1] == messages[0]["content"][1]  # type: ignore[index]
    assert found["messages"][1:3] == messages[1:3]
    assert found["messages"][3]["content"] == "Done"
    assert len(changes) == 2


@pytest.mark.parametrize("messages", [None, "Hi", [1, None], [{"role": "user"}], [{"content": 3}]])
def test_broken_rows_are_left_to_the_rules(messages: Any) -> None:
    assert cleaned({"messages": messages}) == ({"messages": messages}, [])


@pytest.mark.parametrize(
    ("text", "masked", "rule"),
    [
        ("Write to max.mustermann@firma.de please", "Write to [EMAIL] please", "PII001"),
        ("Call +49 30 901820 now", "Call [PHONE] now", "PII001"),
        ("Card 4111 1111 1111 1111", "Card [CARD]", "PII002"),
        ("DE89 3704 0044 0532 0130 00", "[IBAN]", "PII003"),
        ("from 8.8.8.8", "from [IP_ADDRESS]", "PII004"),
    ],
)
def test_personal_data_becomes_a_placeholder(text: str, masked: str, rule: str) -> None:
    found, changes = without_personal(row(text), everything)
    assert found["messages"][0]["content"] == masked
    (change,) = changes
    assert change.rule == rule
    assert change.before not in text
    assert without_personal(found, everything) == (found, [])


def test_masking_goes_into_calls_and_other_keys_but_not_into_names() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "mail", "arguments": '{"to": "max@firma.de"}'}}
    messages = [{"role": "user", "content": "Mail"}, {"role": "assistant", "tool_calls": [call]}]
    found, _ = without_personal(
        {"messages": messages, "author": "max@firma.de", "tools": ["max@firma.de"], "id": "max@firma.de"},
        everything,
    )
    assert found["messages"][1]["tool_calls"][0]["function"]["arguments"] == '{"to": "[EMAIL]"}'
    assert (found["author"], found["tools"], found["id"]) == ("[EMAIL]", ["max@firma.de"], "max@firma.de")


def test_only_what_is_asked_for_is_masked() -> None:
    found, changes = without_personal(row("max@firma.de from 8.8.8.8"), lambda rule: rule == "PII004")
    assert found["messages"][0]["content"] == "max@firma.de from [IP_ADDRESS]"
    assert len(changes) == 1


def test_secrets_are_found_anywhere_and_never_shown() -> None:
    ((at, match),) = secrets_of({"messages": [], "notes": {"key": f"use {KEY}"}})
    assert (at, match.rule) == (("notes", "key"), "SEC001")
    assert KEY not in match.masked


def test_a_change_shows_nothing_secret() -> None:
    hidden = "max\u200b.mustermann@firma.de"
    _, changes = cleaned(row(f"Write to {hidden} "))
    assert changes
    assert all("mustermann" not in change.before + change.after for change in changes)
    _, changes = cleaned(row(f"Key {KEY[:12]}\u200b{KEY[12:]} "))
    assert all(KEY[8:] not in change.before + change.after and not change.before for change in changes)


def test_unknown_kinds_have_a_placeholder_too() -> None:
    assert placeholder(Match(0, 1, "PII009", "library card", "***")) == "[PERSONAL]"
    assert placeholder(Match(0, 1, "SEC004", "token", "***")) == "[SECRET]"


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=90), st.text(max_size=90), st.text(max_size=90), st.text(max_size=90))
def test_a_window_shows_the_difference(head: str, one: str, other: str, tail: str) -> None:
    before, after = window(head + one + tail, head + other + tail)
    assert before in head + one + tail
    assert after in head + other + tail
    assert (before != after) == (one != other)
