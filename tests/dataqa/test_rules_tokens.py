"""The rules about tokens over the whole set: where the limit cuts, lengths that stand out, what is trained."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.core.findings import Severity
from tunegate.dataqa.corpus import entry_of
from tunegate.dataqa.row import Row
from tunegate.dataqa.rule import Rule
from tunegate.dataqa.rules_tokens import answer_cut, length_outlier, little_trained, marks_twice
from tunegate.dataqa.settings import DEFAULTS, Tokens
from tunegate.dataqa.survey import Corpus
from tunegate.dataqa.tokens import Counter, Estimate, Lengths, ModelCounter, with_lengths

LIMIT = 60
DATA = replace(DEFAULTS, tokens=Tokens(max=LIMIT))


def corpus_of(rows: Sequence[dict[str, Any]], counting: Counter | None = None) -> Corpus:
    lengths, kept = Lengths(LIMIT, None if counting is None else lambda: counting), []
    for line, value in enumerate(rows, start=1):
        row = Row(json.dumps(value).encode(), "a.jsonl", line)
        entry = entry_of(row, "train")
        assert entry is not None
        kept.append((entry, row))
    return Corpus(with_lengths(kept, lengths), lengths)


def chat(*turns: tuple[str, str, Any]) -> dict[str, Any]:
    return {
        "messages": [
            {"role": role, "content": text, "weight": weight}
            if weight is not None
            else {"role": role, "content": text}
            for role, text, weight in turns
        ]
    }


def pair(user: str, answer: str, system: str | None = None) -> dict[str, Any]:
    turns: list[tuple[str, str, Any]] = [("user", user, None), ("assistant", answer, None)]
    return chat(*([("system", system, None)] if system else []), *turns)


def says(rule: Rule, rows: Sequence[dict[str, Any]], counting: Counter | None = None) -> list[tuple[int, str]]:
    return [(entry.line, hit.message) for entry, hit in rule.check(corpus_of(rows, counting), DATA)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny model with the marks <s> and </s>."""
    from tunegate.finetune.tiny import make

    folder = tmp_path_factory.mktemp("models") / "chatml"
    make(folder, "chatml")
    return folder


LONG = "word " * 50


def test_the_answer_that_the_limit_falls_into_is_named() -> None:
    row = chat(
        ("user", "a", None),
        ("assistant", "b", None),
        ("user", "c", None),
        ("assistant", LONG, None),
        ("user", "d", None),
        ("assistant", LONG, None),
    )
    ((entry, hit),) = answer_cut.check(corpus_of([row]), DATA)
    assert hit.at == ("messages", 3)
    assert hit.severity is Severity.WARNING, "it is an estimate"
    assert "inside the answer messages[3]" in hit.message
    assert entry.line == 1


@pytest.mark.parametrize(
    "row",
    [
        pair("short", "enough"),
        pair(LONG + LONG, "nothing of this is left"),  # TOK002
        chat(("user", "a", None), ("assistant", "b", None), ("user", LONG + LONG, None), ("assistant", "c", None)),
        chat(
            ("user", "a", None),
            ("assistant", "b", None),
            ("user", "c", None),
            ("assistant", LONG + LONG, 0),
            ("user", "d", None),
            ("assistant", "e", None),
        ),
    ],
)
def test_no_answer_is_cut(row: dict[str, Any]) -> None:
    assert says(answer_cut, [row]) == []


turn = st.integers(0, 40).map(lambda words: "word " * words + "x")


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(st.tuples(turn, turn, st.sampled_from([None, None, 0])), min_size=1, max_size=5))
def test_the_cut_is_where_counting_every_prefix_puts_it(texts: list[tuple[str, str, Any]]) -> None:
    messages = [
        turn
        for user, answer, weight in texts
        for turn in chat(("user", user, None), ("assistant", answer, weight))["messages"]
    ]
    counting = Estimate()
    corpus = corpus_of([{"messages": messages}], counting)
    counts = [counting.rows([{"messages": messages[: number + 1]}])[0] or 0 for number in range(len(messages))]
    expected = None
    if counts[-1] > LIMIT:
        cut = next(number for number, count in enumerate(counts) if count > LIMIT)
        trained = messages[cut]["role"] == "assistant" and messages[cut].get("weight", 1) != 0
        expected = cut if trained and counting.prompt({"messages": messages}) < LIMIT else None
    assert corpus[0].cut == expected


def test_the_cut_by_a_models_own_tokenizer_is_an_error(model: Path) -> None:
    counting = ModelCounter(model)
    row = pair("Where is it?", LONG)
    ((_, hit),) = answer_cut.check(corpus_of([row], counting), DATA)
    assert hit.severity is Severity.ERROR
    assert "estimated" not in hit.message


def test_an_outlier_in_length() -> None:
    rows = [pair("Where is my parcel?", "It is on its way. " * (1 + number % 3)) for number in range(40)]
    assert says(length_outlier, rows) == []
    ((line, message),) = says(length_outlier, [*rows, pair("Where?", "word " * 2000)])
    assert line == 41
    assert message.startswith("about 2,5")
    short = [pair("Where is my parcel? " * 20, "It is on its way. " * (20 + number % 3)) for number in range(40)]
    assert [line for line, _ in says(length_outlier, [*short, pair("a", "b")])] == [41]
    assert says(length_outlier, [*rows[:10], pair("Where?", "word " * 2000)]) == [], "too few rows to say"


def test_rows_of_one_length_leave_room_for_others() -> None:
    same = [pair("Where is my parcel?", "It is on its way.") for _ in range(30)]
    assert says(length_outlier, [*same, pair("Where is my parcel?" * 2, "It is on its way." * 2)]) == []
    assert len(says(length_outlier, [*same, pair("Where is my parcel?" * 20, "It is on its way." * 2)])) == 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 3000), min_size=20, max_size=60))
def test_outliers_are_those_of_a_robust_z_score(sizes: list[int]) -> None:
    import numpy as np

    corpus = corpus_of([pair("a", "b")] * len(sizes))
    for place, size in enumerate(sizes):
        corpus[place] = corpus[place]._replace(size=size)
    logs = np.log(np.array(sizes))
    deviations = np.abs(logs - np.median(logs))
    spread = max(1.4826 * float(np.median(deviations)), float(np.log(4)) / 6)
    expected = [number + 1 for number, deviation in enumerate(deviations) if deviation / spread > 6 + 1e-9]
    found = [entry.line for entry, _ in length_outlier.check(corpus, DATA)]
    assert set(expected) <= set(found)
    assert set(found) <= {
        number + 1 for number, deviation in enumerate(deviations) if deviation / spread > 6 - 1e-9
    }


def test_little_is_trained() -> None:
    system = "You are the helpful assistant of a shop and answer every question of its customers. " * 20
    rows = [pair("Where is it?", "ok", system)] * 5
    ((line, message),) = says(little_trained, rows)
    assert line == 1
    assert (
        message
        == "about 0.5 % of the tokens are trained: shorten what all rows carry, such as a long system message"
    )
    assert says(little_trained, [pair("Where is it?", "It is on its way. " * 5, system)] * 5) == []


def test_short_labels_of_short_texts_are_no_little() -> None:
    assert says(little_trained, [pair("Free entry to win a cup final now, text 81010 " * 3, "spam")] * 5) == []


def test_answers_of_weight_zero_are_not_trained_and_tools_are_read() -> None:
    text = "It is on its way. " * 20
    row = chat(("user", "a", None), ("assistant", text, 0), ("user", "b", None), ("assistant", "c", None))
    one = corpus_of([row])[0]
    assert one.trained == 2
    assert one.size == 1 + 90 + 1 + 1 + 4 * 4
    tools = [{"type": "function", "function": {"name": "f", "description": "x" * 4000}}]
    assert corpus_of([{**pair("a", "b"), "tools": tools}])[0].size > 1000
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": "' + "x" * 400 + '"}'}}
    called = {
        "messages": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "1"},
            {"role": "assistant", "content": "b"},
        ]
    }
    assert corpus_of([called])[0].trained > 100


@pytest.mark.parametrize(
    ("user", "answer", "mark"),
    [
        ("<bos>Where?", "Here.", "<bos>"),
        ("Where?", "Hier.<eos>", "<eos>"),
        ("[BOS] Where?", "Here.", "[BOS]"),
        ("Where?", "Here. [EOS]\n", "[EOS]"),
        ("<\uff5cbegin\u2581of\u2581sentence\uff5c>Where?", "Here.", "<\uff5cbegin\u2581of\u2581sentence\uff5c>"),
    ],
)
def test_marks_that_the_template_writes(user: str, answer: str, mark: str) -> None:
    ((_, message),) = says(marks_twice, [pair(user, answer)])
    assert repr(mark) in message


@pytest.mark.parametrize(
    ("user", "answer"),
    [
        ("What does <eos> stand for?", "The mark <eos> ends a text."),
        ("Was heißt [BOS] hier?", "Es ist ein Zeichen."),
        ("Where?</s>", "Here."),  # CHAT025 says so
        ("<b>Where</b>?", "<think>So.</think>Here."),
        ("a < b", "[Monday]"),
    ],
)
def test_marks_that_are_spoken_of_or_known_to_another_rule(user: str, answer: str) -> None:
    assert says(marks_twice, [pair(user, answer)]) == []


def test_the_marks_of_the_model_count_anywhere(model: Path) -> None:
    counting = ModelCounter(model)
    assert counting.marks
    counting.marks = ("<start>", "<stop>")
    ((_, message),) = says(marks_twice, [pair("Where <stop> is it?", "Here.")], counting)
    assert "'<stop>'" in message
    assert says(marks_twice, [pair("Where <stop> is it?", "Here.")]) == []


def test_no_tokenizer_is_made_where_nothing_looks_like_a_mark() -> None:
    def make() -> Counter:
        raise AssertionError("nothing had to be counted")

    lengths = Lengths(5000, make)
    row = Row(json.dumps(pair("Where is 1 < 2?", "Here.")).encode())
    entry = entry_of(row, "train")
    assert entry is not None
    corpus = Corpus(with_lengths([(entry, row)], lengths), lengths)
    for rule in (answer_cut, length_outlier, little_trained, marks_twice):
        assert list(rule.check(corpus, DEFAULTS)) == []
