"""The rules about text over the whole set: boilerplate, and what was never filled in."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from tunegate.dataqa.boilerplate import find
from tunegate.dataqa.corpus import entry_of
from tunegate.dataqa.entry import Entry
from tunegate.dataqa.placeholders import gaps, is_nothing, variables
from tunegate.dataqa.row import Row
from tunegate.dataqa.rules_textset import boilerplate, unfilled
from tunegate.dataqa.settings import DEFAULTS
from tunegate.dataqa.survey import Corpus


def entries(pairs: Iterable[tuple[str, str]]) -> Corpus:
    corpus = Corpus()
    for line, (user, answer) in enumerate(pairs, start=1):
        messages = [{"role": "user", "content": user}, {"role": "assistant", "content": answer}]
        entry = entry_of(Row(json.dumps({"messages": messages}).encode(), "a.jsonl", line), "train")
        assert entry is not None
        corpus.append(entry)
    return corpus


def says(rule: Any, rows: list[Entry]) -> list[tuple[int, str]]:
    return [(entry.line, hit.message) for entry, hit in rule.check(rows, DEFAULTS)]


def with_line(line: str, times: int, of: int = 100) -> Corpus:
    return entries(
        (f"Question {number}?", f"Answer {number} is here.\n{line}" if number < times else f"Answer {number}.")
        for number in range(of)
    )


@pytest.mark.parametrize(
    "line",
    [
        "We use cookies to improve your experience.",
        "Click here to read the whole story",
        "Wir verwenden Cookies, um unsere Seite zu verbessern.",
        "Alle Rechte vorbehalten.",
        "Read more »",
        "Auf Facebook teilen",
        "This text first appeared in the Daily Mirror.",  # five words or more
    ],
)
def test_a_line_that_comes_back(line: str) -> None:
    (found,) = find(with_line(line, 3))
    assert (found.line, found.rows, found.first.line) == (line, 3, 1)
    assert find(with_line(line, 2)) == []
    assert find(with_line(line, 3, of=300)) == [], "1 % is not more than 1 %"
    assert [each.rows for each in find(with_line(line, 4, of=300))] == [4]


@pytest.mark.parametrize(
    "line",
    [
        "Best regards",
        "## The steps that you need to take",
        "Here are the things that you need:",
        "- one and two and three and four",
        "| a cell of a table with words |",
        "Step 1",
        "`from a import one, two, three, four`",
    ],
)
def test_structure_and_short_lines_are_let_be(line: str) -> None:
    assert find(with_line(line, 30)) == []


def test_what_most_answers_say_is_their_style_but_no_web_page_is() -> None:
    assert find(with_line("Your friendly team of the example shop", 90)) == []
    (found,) = find(with_line("Sign up for our newsletter today", 90))
    assert found.rows == 90


def test_prompts_share_their_instructions() -> None:
    same = [(f"Classify the text that follows as spam or ham.\nText {number}", "ham") for number in range(100)]
    assert find(entries(same)) == []
    page = [(f"Sum up:\nText {number}\nAccept all cookies", f"Sum {number}.") for number in range(100)]
    assert [each.line for each in find(entries(page))] == ["Accept all cookies"]


def test_a_canned_answer_that_comes_again_is_no_boilerplate() -> None:
    canned = "You can change it in your settings.\nOpen the page of your account to do so."
    rows = [(f"Question {number}?", canned if number % 2 else f"Answer {number}.") for number in range(100)]
    assert find(entries(rows)) == []


def test_each_row_counts_once() -> None:
    rows = [("Q?", f"{number}.\n We use cookies here\nWe use cookies here ") for number in range(3)]
    ((line, message),) = says(boilerplate, entries(rows))
    assert line == 1
    assert message == "the line 'We use cookies here' stands in 3 rows of 3: take it out of them"


def test_many_different_lines_take_little_memory_and_hide_none() -> None:
    answers = (
        "\n".join(f"Line {number} {place} of many others here" for place in range(40)) for number in range(2000)
    )
    corpus = entries(
        ("Q?", f"{answer}\nPlease visit our shop in the old town." if number % 50 == 0 else answer)
        for number, answer in enumerate(answers)
    )
    assert [(each.line, each.rows) for each in find(corpus)] == [("Please visit our shop in the old town.", 40)]


@pytest.mark.parametrize(
    ("user", "answer", "shown"),
    [
        ("When?", "It left on {{date}}.", "{{date}}"),
        ("Wann?", "Guten Tag {{ kunde.name }}, morgen.", "{{ kunde.name }}"),
        ("Where is my order?", "Your order {{Order Number}} is on its way.", "{{Order Number}}"),
        ("When?", "It left on [INSERT DATE].", "[INSERT DATE]"),
        ("When?", "[INSERT]", "[INSERT]"),
        ("Who are you?", "I am <YOUR NAME> of [Your Company].", "<YOUR NAME>"),
        ("Wer sind Sie?", "Ich bin [Ihr Name] von [Firmenname einfügen].", "[Ihr Name]"),
    ],
)
def test_templates_that_were_never_filled_in(user: str, answer: str, shown: str) -> None:
    ((_, message),) = says(unfilled, entries([(user, answer)]))
    assert message.startswith(f"the answer holds {shown!r}")


@pytest.mark.parametrize(
    ("user", "answer"),
    [
        ("Write a Jinja template for a greeting", "Hello {{ name }}!"),
        ("Schreibe eine Vorlage mit Platzhaltern", "Hallo {{name}}!"),
        ("Write an e-mail to my landlord", "Dear [Landlord's Name],\nI am [Your Name]. [Insert date]"),
        ("Verfasse ein Anschreiben", "Mit freundlichen Grüßen\n[Ihr Name]"),
        ("Translate: Hello {{name}}", "Hallo {{name}}"),
        ("Say it again: we greet {{name}} now", "We greet {{name}} now"),
        ("How?", "Write `{{name}}` or\n```\n{{ x }}\n```"),
        ("Solve it", "It is x^{{2}} and \\frac{{a}}{{b}}"),
        ("How?", "Run it with ${{ secrets.KEY }}"),
        ("When?", "It left for [EMAIL] and [PHONE] on [Monday]."),
        ("Where?", "See [your account](https://a.example) or press [Enter]."),
        ("What did he say?", "He said that “[your] time has come” [sic]."),
        ("How?", "Map {{1, 2}, {3, 4}} to it"),
        ("How?", "Replace <your name> by yours."),
    ],
)
def test_templates_that_were_asked_for_and_other_brackets(user: str, answer: str) -> None:
    rows = [each for each in says(unfilled, entries([(user, answer)])) if "the answer" in each[1]]
    assert rows == []


def test_prompts_and_system_messages_are_filled_in_too() -> None:
    row = {
        "messages": [
            {"role": "system", "content": "You help {{user_name}}."},
            {"role": "user", "content": "I am {{name}}"},
            {"role": "assistant", "content": "Hi"},
        ]
    }
    entry = entry_of(Row(json.dumps(row).encode()), "train")
    assert entry is not None
    assert [message.partition(" holds")[0] for _, message in says(unfilled, Corpus([entry]))] == [
        "the system message",
        "the user's text",
    ]


@pytest.mark.parametrize("answer", ["nan", "NaN", "None", "null", " NULL\n", "N/A", "undefined", "#N/A", "<NA>"])
def test_a_word_for_nothing_is_no_answer(answer: str) -> None:
    ((line, message),) = says(unfilled, entries([("Where is my parcel?", answer), ("Wo ist es?", "Hier.")]))
    assert line == 1
    assert "a program's word for nothing" in message


@pytest.mark.parametrize(
    ("user", "answer"),
    [
        ("Which one? Answer yes, no or none.", "none"),
        ("Nenne die Stadt, sonst N/A.", "N/A"),
        ("What does print([].sort()) print in Python?", "None"),
        ("What is typeof of a missing `x`?", "undefined"),
        ("Was gibt die Funktion zurück?", "null"),
        ("How many are left?", "None are left."),
        ("How many are left?", "None."),
        ("What is my grandma called in India?", "Nani"),
        ("Zahl?", "Null Komma fünf"),
    ],
)
def test_answers_that_say_none_by_right(user: str, answer: str) -> None:
    assert says(unfilled, entries([(user, answer)])) == []


@pytest.mark.parametrize("name", ["none", "None", "n/a"])
def test_a_class_may_be_called_none(name: str) -> None:
    answers = [name, "refund", "delivery"] * 20
    assert says(unfilled, entries((f"Text {number}", answer) for number, answer in enumerate(answers))) == []


def test_a_stray_none_among_classes_is_no_class_and_nan_never_is() -> None:
    answers = ["refund", "delivery"] * 100 + ["None"] * 2
    assert len(says(unfilled, entries((f"Text {number}", answer) for number, answer in enumerate(answers)))) == 2
    answers = ["refund", "delivery", "nan"] * 20
    assert len(says(unfilled, entries((f"Text {number}", answer) for number, answer in enumerate(answers)))) == 20


def test_hostile_texts() -> None:
    for text in ("{{" * 20_000, "[your " * 20_000, "[" * 50_000, "<insert " + "a" * 50_000, "{%if" * 20_000):
        variables(text)
        gaps(text, "")
        is_nothing(text, text)


@pytest.mark.shared
@pytest.mark.parametrize(
    "name",
    [
        "chat/covid_faq_de",
        "chat/fastchat_dummy",
        "chat/azureml_dialog.train",
        "intent/banking77.train",
        "toolcall/glaive_en",
    ],
)
def test_real_chats_raise_no_finding(shared: Any, name: str) -> None:
    lines = (shared / "data" / f"{name}.jsonl").read_bytes().split(b"\n")
    kept = [entry_of(Row(raw, "a", line), "train") for line, raw in enumerate(lines, start=1)]
    corpus = Corpus(entry for entry in kept if entry is not None)
    assert says(boilerplate, corpus) == says(unfilled, corpus) == []
