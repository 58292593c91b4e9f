"""Preference pairs: what documents show as valid, one finding for one fault, and pairs against each other."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.core.location import json_path, locate
from tunegate.dataqa.catalog import RULES, choose
from tunegate.dataqa.check import CheckSettings, DataFile, check
from tunegate.dataqa.corpus import entry_of
from tunegate.dataqa.row import Row
from tunegate.dataqa.rules_preference import MIN_PAIRS
from tunegate.dataqa.settings import DEFAULTS
from tunegate.dataqa.survey import Corpus
from tunegate.dataqa.targets import TARGETS

Ask = Callable[..., list[tuple[str, str]]]
Says = Callable[..., list[str]]

USER = {"role": "user", "content": "Where is my parcel?"}
GOOD = {"role": "assistant", "content": "It is on its way."}
OTHER = {"role": "assistant", "content": "No idea."}
BEFORE = {"role": "assistant", "content": "One moment, please."}
SYSTEM = {"role": "system", "content": "Be brief."}
CALL = {
    "role": "assistant",
    "tool_calls": [{"id": "call00001", "type": "function", "function": {"name": "track", "arguments": "{}"}}],
}
RESULT = {"role": "tool", "tool_call_id": "call00001", "content": "in Leipzig"}
TOOLS = [{"type": "function", "function": {"name": "track", "parameters": {"type": "object", "properties": {}}}}]


def pair(
    messages: Any = (USER,), preferred: Any = (GOOD,), rejected: Any = (OTHER,), **fields: Any
) -> dict[str, Any]:
    return {
        "input": {"messages": list(messages), **fields},
        "preferred_output": list(preferred),
        "non_preferred_output": list(rejected),
    }


# Shapes that the documents of OpenAI, Azure OpenAI and Together show.
SOUND = {
    "a question": pair(),
    "no tools, as OpenAI shows it": pair(tools=[], parallel_tool_calls=True),
    "with a system message": pair([SYSTEM, USER]),
    "several turns": pair([USER, BEFORE, {"role": "user", "content": "When does it come?"}]),
    "a call is preferred": pair(preferred=[CALL], tools=TOOLS, parallel_tool_calls=True),
    "a call with its result": pair(preferred=[CALL, RESULT, GOOD], tools=TOOLS),
    "the result answers a call of the input": pair(
        [USER, BEFORE, USER, CALL], [RESULT, GOOD], [RESULT, OTHER], tools=TOOLS
    ),
    "a greeting before the question, as Together shows it": pair([BEFORE, USER]),
    "text parts": pair([{"role": "user", "content": [{"type": "text", "text": "Where is it?"}]}]),
}
# What the documents of TRL show, and well-known data sets have.
SOUND_FOR_HF = {
    **SOUND,
    "texts": {"prompt": "The sky is", "chosen": " blue.", "rejected": " green."},
    "texts without a prompt": {"chosen": "The sky is blue.", "rejected": "The sky is green."},
    "lists": {"prompt": [USER], "chosen": [GOOD], "rejected": [OTHER]},
    "lists without a prompt": {"chosen": [SYSTEM, USER, GOOD], "rejected": [SYSTEM, USER, OTHER]},
    "the prompt as a text beside whole chats": {
        "prompt": "Where is my parcel?",
        "chosen": [USER, GOOD],
        "rejected": [USER, OTHER],
        "score_chosen": 8.5,
        "score_rejected": 2.0,
    },
    "with tools": {"prompt": [USER], "chosen": [CALL], "rejected": [OTHER], "tools": TOOLS},
    "an image in a column of its own": {
        "prompt": [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What is it?"}]}],
        "chosen": [GOOD],
        "rejected": [OTHER],
        "images": [],
    },
    "the answer goes on": {
        "prompt": [USER, {"role": "assistant", "content": "It"}], "chosen": [GOOD], "rejected": [OTHER]
    },
    "marks of a template in plain text": {
        "prompt": "<|im_start|>user\nHi<|im_end|>", "chosen": " Hello", "rejected": " No"
    },
}  # fmt: skip


@pytest.mark.parametrize("target", ["azure-openai", "openai", "together", "hf"])
@pytest.mark.parametrize("name", SOUND)
def test_documented_pairs_raise_no_finding(ask: Ask, name: str, target: str) -> None:
    several = max(len(SOUND[name][key]) for key in ("preferred_output", "non_preferred_output")) > 1
    assert set(ask(SOUND[name], target, "dpo")) == (
        {("PREF003", "error")} if several and target == "together" else set()
    )


@pytest.mark.parametrize("name", SOUND_FOR_HF)
def test_pairs_of_trl_raise_no_finding(ask: Ask, name: str) -> None:
    assert ask(SOUND_FOR_HF[name], "hf", "dpo") == []


def without(row: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != key}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (without(pair(), "input"), "'input' is missing: a pair is input, preferred_output and "
         "non_preferred_output; the row has 'preferred_output', 'non_preferred_output'"),
        ({**without(pair(), "preferred_output"), "prefered_output": [GOOD]},
         "'preferred_output' is missing: rename 'prefered_output' to 'preferred_output'"),
        ({**pair(), "non_preferred_output": None}, "'non_preferred_output' is missing: a pair is input, "
         "preferred_output and non_preferred_output; the row has 'input', 'preferred_output', "
         "'non_preferred_output'"),
        ({"messages": [USER, GOOD]}, "'input', 'preferred_output', 'non_preferred_output' are missing: "
         "the row is a chat, keep it in a file of chats"),
        ({}, "'input', 'preferred_output', 'non_preferred_output' are missing: "
         "a pair is input, preferred_output and non_preferred_output"),
        ({"prompt": "Hi", "chosen": "Hello"}, "'rejected' is missing: a pair is chosen and rejected; the row has "
         "'prompt', 'chosen'"),
    ],
)  # fmt: skip
def test_what_a_pair_lacks(says: Says, row: Any, said: str) -> None:
    assert says(row, "hf", "dpo") == [said]


def test_services_do_not_take_the_rows_of_trl(ask: Ask) -> None:
    row = {"prompt": [USER], "chosen": [GOOD], "rejected": [OTHER]}
    for target in ("azure-openai", "openai", "together"):
        assert ask(row, target, "dpo") == [("PREF001", "error")]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({**pair(), "input": [USER]}, "input is a list: it is an object with messages"),
        ({**pair(), "input": "Hi"}, "input is a text: it is an object with messages"),
        ({**pair(), "input": {}}, "input has no messages: write the list of messages"),
        ({**pair(), "input": {"messages": []}}, "input.messages is empty: write the list of messages"),
        ({**pair(), "input": {"messages": "Hi"}}, "input.messages is a text: write the list of messages"),
        (pair([USER, GOOD]), "input.messages[1] is the assistant's: the input ends with the user, "
         "move it to both outputs"),
    ],
)  # fmt: skip
def test_an_unsound_input_is_named_once(says: Says, row: Any, said: str) -> None:
    assert says(row, "openai", "dpo") == [said]


def test_the_single_message_of_azures_page_is_a_warning_there(ask: Ask) -> None:
    row = {**pair(), "input": {"messages": SYSTEM}}
    assert ask(row, "azure-openai", "dpo") == [("PREF002", "warning")]
    assert ask(row, "openai", "dpo") == [("PREF002", "error")]


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        ({"preferred": [USER, GOOD]},
         "preferred_output[0] is the user's: only the assistant and its tools speak in an output"),
        ({"rejected": [{"role": "system", "content": "No."}, OTHER]},
         "non_preferred_output[0] is the system's: only the assistant and its tools speak in an output"),
        ({"preferred": []}, "preferred_output is empty: it is a list of messages, one of them the assistant's"),
    ],
)  # fmt: skip
def test_an_unsound_output_is_named_once(says: Says, outputs: Any, said: str) -> None:
    assert says(pair(**outputs), "azure-openai", "dpo") == [said]


def test_outputs_of_another_type(says: Says) -> None:
    for wrong, kind in (({"role": "assistant"}, "an object"), ("Hello", "a text"), (1, "1"), (True, "true")):
        said = says({**pair(), "preferred_output": wrong}, "openai", "dpo")
        assert said == [f"preferred_output is {kind}: it is a list of messages, one of them the assistant's"]


def test_an_answer_of_trl_ends_with_the_assistant(says: Says) -> None:
    row = {"chosen": [USER, GOOD, USER], "rejected": [USER, OTHER]}
    assert says(row, "hf", "dpo") == ["chosen[2] is the user's: an answer ends with the assistant"]


SAME = "both answers are the same: write another one, or take the row out"
ONLY_SIGNS = "both answers differ in case or punctuation only: is that what is preferred? else take the row out"


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ("Yes.", "Yes.", [SAME]),
        ("Yes.", " Yes. ", [SAME]),
        ("a b", "a\nb", [SAME]),
        ("Yes.", "yes", [ONLY_SIGNS]),
        ("Ja, Straße 3", "ja STRASSE 3", [ONLY_SIGNS]),
        ("3.5", "35", []),
        ("a > b", "a < b", []),
        ("Yes.", "Yes, it is.", []),
        ("Nein", "Ja", []),
    ],
)
def test_equal_answers(says: Says, one: str, other: str, said: list[str]) -> None:
    answers = [[{"role": "assistant", "content": text}] for text in (one, other)]
    assert says(pair((USER,), *answers), "hf", "dpo") == said
    assert says({"prompt": "Hi", "chosen": "Hi " + one, "rejected": "Hi " + other}, "hf", "dpo") == said


def test_calls_count_as_answers(says: Says) -> None:
    def called(arguments: str) -> Any:
        call = CALL["tool_calls"][0]  # type: ignore[index]
        return [{**CALL, "tool_calls": [{**call, "function": {"name": "track", "arguments": arguments}}]}]  # type: ignore[dict-item]

    assert says(pair((USER,), called("{}"), called('{"a": 1}')), "openai", "dpo") == []
    assert says(pair((USER,), called('{"a": 1, "b": 2}'), called('{"b":2,"a":1}')), "openai", "dpo") == [SAME]


def test_unknown_keys_beside_a_pair(ask: Ask, mend: Callable[..., Any]) -> None:
    row = {**pair(), "metadata": {"source": "forum"}}
    assert ask(row, "hf", "dpo") == []
    assert ask(row, "azure-openai", "dpo") == [("PREF007", "warning")]
    assert mend(row, "PREF007", "azure-openai", "dpo") == pair()
    assert ask({**pair(), "input": {**pair()["input"], "source": 1}}, "openai", "dpo") == [("CHAT006", "warning")]


def over_the_set(rows: list[Any], prefix: str = "") -> list[tuple[int, str]]:
    entries = Corpus()
    for line, value in enumerate(rows, 1):
        row = Row(json.dumps(value).encode(), "a.jsonl", line, kind="dpo")
        entry = entry_of(row, "train")
        assert entry is not None
        entries.append(entry)
    rules = [rule for rule in choose([prefix] if prefix else []) if rule.scope == "set"]
    return [(entry.line, rule.id) for rule in rules for entry, _ in rule.check(entries, DEFAULTS)]


def test_reversed_pairs() -> None:
    turned = pair((USER,), (OTHER,), (GOOD,))
    shouted = pair(({**USER, "content": "where is MY parcel"},), (OTHER,), (GOOD,))
    elsewhere = pair(({**USER, "content": "Where is my bill?"},), (OTHER,), (GOOD,))
    told = pair((SYSTEM, USER), (OTHER,), (GOOD,))
    trl = {"prompt": "Where is my parcel?", "chosen": "No idea.", "rejected": "It is on its way."}

    assert over_the_set([pair(), turned], "PREF") == [(2, "PREF005")]
    assert over_the_set([pair(), shouted], "PREF") == [(2, "PREF005")]
    assert over_the_set([pair(), trl], "PREF") == [(2, "PREF005")]
    for other in (pair(), elsewhere, told, pair((USER,), (OTHER,), (SYSTEM | {"role": "assistant"},))):
        assert over_the_set([pair(), other], "PREF") == []
    assert over_the_set([pair((USER,), (GOOD,), (GOOD,))] * 2, "PREF") == [], "PREF004 says it"


def of_lengths(longer: int, shorter: int) -> list[Any]:
    rows = []
    for number in range(longer + shorter):
        answers = ((GOOD,), (OTHER,)) if number < longer else ((OTHER,), (GOOD,))
        rows.append(pair(({**USER, "content": f"Where is parcel {number}?"},), *answers))
    return rows


def test_length_bias_wants_enough_pairs_and_a_clear_share() -> None:
    assert over_the_set(of_lengths(MIN_PAIRS, 0), "PREF006") == [(1, "PREF006")]
    assert over_the_set(of_lengths(MIN_PAIRS - 1, 0), "PREF006") == []
    assert over_the_set(of_lengths(17, 3), "PREF006") == [], "85 % is not more than 85 %"
    assert over_the_set(of_lengths(18, 2), "PREF006") == [(1, "PREF006")]
    assert over_the_set(of_lengths(0, 30), "PREF006") == []


def test_duplicates_and_leaks_of_pairs(tmp_path: Path) -> None:
    long = "Hello, I ordered two weeks ago and have not heard from you since, so can you tell me where my parcel"
    rows = [
        pair(),
        pair(),
        pair(({**USER, "content": "where is my PARCEL"},)),
        pair(rejected=({**OTHER, "content": "Ask the post."},)),
        pair(preferred=({**GOOD, "content": "It comes tomorrow."},)),
        pair(({**USER, "content": f"{long} is?"},)),
        pair(({**USER, "content": f"{long} went?"},)),
    ]
    assert over_the_set(rows, "DUP") == [(2, "DUP001"), (3, "DUP002"), (7, "DUP003")]

    train, held_out = tmp_path / "train.jsonl", tmp_path / "validation.jsonl"
    train.write_text("".join(json.dumps(row) + "\n" for row in rows[:1]), encoding="utf-8")
    held_out.write_text(json.dumps(rows[3]) + "\n", encoding="utf-8")
    files = [DataFile(train), DataFile(held_out, "validation")]
    result = check(files, CheckSettings(select=("LEAK",)))
    assert [(found.rule, found.line) for found in result.findings] == [("LEAK001", 1)]


def test_a_long_pair_is_counted_by_its_longer_answer(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    long = {**OTHER, "content": "It is on its way. " * 300}
    path.write_text(json.dumps(pair(rejected=[long])) + "\n", encoding="utf-8")
    assert [found.rule for found in check([DataFile(path)], CheckSettings(select=("TOK001",))).findings] == [
        "TOK001"
    ]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["", "user", "assistant", "tool", "a", "{}"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["messages", "role", "content", "type", "text", "tool_calls", "tools", "prompt", "chosen"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for step, inner in items for found in places(inner, (*path, step)))]


@st.composite
def mutated(draw: Callable[..., Any]) -> Any:
    """Return a sound pair in which one to three values are replaced or taken out."""
    row = json.loads(json.dumps(draw(st.sampled_from(list(SOUND_FOR_HF.values())))))
    for _ in range(draw(st.integers(1, 3))):
        if not places(row)[1:]:
            break
        *above, last = draw(st.sampled_from(places(row)[1:]))
        inner = row
        for step in above:
            inner = inner[step]
        if draw(st.booleans()):
            del inner[last]
        else:
            inner[last] = draw(anything)
    return row


@settings(deadline=None, max_examples=400)
@given(mutated(), st.sampled_from(sorted(TARGETS)), st.sampled_from(["sft", "dpo", "rft"]))
def test_whatever_stands_in_a_pair_the_rules_say_something_or_nothing(value: Any, target: str, kind: Any) -> None:
    raw = json.dumps(value).encode()
    row = Row(raw, "a", 1, target=target, kind=kind)
    for rule in RULES:
        if rule.scope == "row":
            for hit in rule.check(row):
                assert hit.message
                assert json_path(hit.at)
                assert locate(raw, hit.at) is not None, (rule.id, hit.at)
                assert locate(raw, hit.mended) is not None, (rule.id, hit.mended)
                if rule.repair is not None:
                    rule.repair(row, hit)
    entry = entry_of(row, "train")
    if entry is not None:
        entries = Corpus([entry, entry])
        for rule in choose(["PREF", "DUP", "CHAT"]):
            if rule.scope == "set":
                assert all(hit.message for _, hit in rule.check(entries, DEFAULTS))
