from __future__ import annotations

import json
from collections.abc import Callable
from time import perf_counter
from typing import Any

import pytest

from tunegate.dataqa.hit import KEEP

Ask = Callable[..., list[tuple[str, str]]]
Mend = Callable[..., Any]


def chat(question: str, answer: str = "Hello") -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


@pytest.mark.parametrize(
    "text",
    [
        "hi <|im_end|><|im_start|>system",
        "<|endoftext|>",
        "<|user|>\nHi<|end|>",
        "<|start_header_id|>user<|end_header_id|>",
        "done<|eot_id|>",
        "[INST] Hi [/INST]",
        "<<SYS>>Be brief.<</SYS>>",
        "<start_of_turn>user",
        "<s>Hi",
        "Hello</s>",
        "Hello</s>\n",
        "[TOOL_CALLS] []",
        "<\uff5cUser\uff5c>Hi",
    ],
)
def test_marks_of_templates(ask: Ask, text: str) -> None:
    for row in (chat(text), chat("Hi", text)):
        assert ask(row) == [("CHAT025", "error")]
        assert ask(json.dumps(row).replace("<", "\\u003c").encode()) == [("CHAT025", "error")]
    parts = [{"type": "text", "text": "Look:"}, {"type": "text", "text": text}]
    row = {"messages": [{"role": "user", "content": parts}, {"role": "assistant", "content": "Hello"}]}
    assert ask(row) == [("CHAT025", "error")]


@pytest.mark.parametrize(
    "text",
    [
        "<s>19.99</s> now 9.99",
        "<s>old</s>",
        "a </s> in the middle",
        "a <s> in the middle",
        "now 9.99, was <s>19.99</s>",
        "In Haskell write a <|> b, in F# a <| b |> c",
        "<|x|> is an expectation, <|psi|> too",
        "<|im-start|> and < |im_start| >",
        "[INSERT NAME]",
        "[inst] low",
        "<system>Be brief</system> <user> <assistant>",
        "<file_photo>",
        "if a <s> b",
    ],
)
def test_other_signs_in_brackets_are_let_be(ask: Ask, text: str) -> None:
    assert ask(chat(text)) == []
    assert ask(chat("Hi", text)) == []


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("Assistant: Sure", "Sure"),
        ("assistant:\nSure", "Sure"),
        ("**Assistant:** Sure", "Sure"),
        ("### Assistant: Sure", "Sure"),
        ("AI Assistant: Sure", "Sure"),
        ("ChatGPT: Sure", "Sure"),
        ("Bot: Sure", "Sure"),
        ("Assistent: Gern", "Gern"),
    ],
)
def test_the_label_of_an_answer_is_cut_off(ask: Ask, mend: Mend, text: str, rest: str) -> None:
    assert ask(chat("Hi", text)) == [("CHAT026", "warning")]
    assert mend(chat("Hi", text), "CHAT026") == chat("Hi", rest)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("User: Hi", "Hi"),
        ("Human: Hi", "Hi"),
        ("Nutzer: Hallo", "Hallo"),
        ("Hi\nAssistant:", "Hi\n"),
        ("Human: Hi\n\nAssistant:", "Hi\n\n"),
    ],
)
def test_the_label_of_a_question_is_cut_off(ask: Ask, mend: Mend, text: str, rest: str) -> None:
    assert ask(chat(text)) == [("CHAT026", "warning")]
    assert mend(chat(text), "CHAT026") == chat(rest)


@pytest.mark.parametrize(
    "row",
    [
        chat("Hi", "Assistant"),
        chat("Hi", "Assistant managers earn more: see below."),
        chat("Hi", "User: the one who uses."),
        chat("What does AI stand for?", "AI: artificial intelligence."),
        chat("Sum up:\nUser: Hi\nAgent: Hello\n---\nSummary:\n", "A greeting."),
        chat("User: Hi\nAgent: Hello\nUser: Bye"),
        chat("Write a scene.", "Bot: I am awake.\nAnna: So am I."),
        chat("Reboot: how?", "Laser: on."),
        chat("Hi", "Answer: 42"),
        chat("Assistant: please help"),
        chat("Hi", "Assistant:"),
    ],
)
def test_transcripts_and_definitions_keep_their_labels(ask: Ask, row: dict[str, Any]) -> None:
    assert ask(row) == []


def test_a_text_that_is_nothing_but_labels_is_left_to_a_person(mend: Mend) -> None:
    assert mend(chat(" \nAssistant:"), "CHAT026") is KEEP


LONG = "I am sorry, could you say that again?"


def repeated(first: str, second: str, role: str = "assistant") -> dict[str, Any]:
    texts = {"user": ["Hi", "And now?"], "assistant": ["Hello", "Fine"]} | {role: [first, second]}
    messages = []
    for question, answer in zip(texts["user"], texts["assistant"], strict=True):
        messages += chat(question, answer)["messages"]
    return {"messages": messages}


def test_an_answer_that_comes_twice(ask: Ask) -> None:
    assert ask(repeated(LONG, LONG)) == [("CHAT029", "warning")]
    assert ask(repeated(LONG, f" {LONG}\n")) == [("CHAT029", "warning")]
    assert ask(
        repeated("申し訳ありませんが、もう一度お願いします", "申し訳ありませんが、もう一度お願いします")
    ) == [("CHAT029", "warning")]


def test_what_comes_back_by_itself_is_no_copy(ask: Ask) -> None:
    assert ask(repeated("reset_password", "reset_password")) == []
    assert ask(repeated("Überweisung_nicht_ausgeführt", "Überweisung_nicht_ausgeführt")) == []
    assert ask(repeated("You're welcome!", "You're welcome!")) == []
    assert ask(repeated("中", "中")) == []
    assert ask(repeated(LONG, LONG, role="user")) == [], "people do ask again"
    assert ask(repeated(LONG, LONG.upper())) == []


@pytest.mark.parametrize("sign", ["\n", " ", "<", "*", "</s> ", "User: ", "a"])
def test_long_runs_take_no_long_time(ask: Ask, sign: str) -> None:
    started = perf_counter()
    ask(chat("Human: " + sign * 50_000 + "Assistant:", "Assistant: " + sign * 50_000))
    assert perf_counter() - started < 2
