"""Shape of a chat: what is sound by the targets' own documents, and one finding for one fault."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tunegate.core.lines import read_lines
from tunegate.dataqa.targets import TARGETS

Ask = Callable[..., list[tuple[str, str]]]

USER = {"role": "user", "content": "Where is my card?"}
ANSWER = {"role": "assistant", "content": "On its way."}
PAIR = [USER, ANSWER]


def chat(*messages: Any, **fields: Any) -> dict[str, Any]:
    return {"messages": list(messages), **fields}


def call(name: str = "track", arguments: Any = "{}", call_id: str = "call00001") -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def tool(name: str = "track", **parameters: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": {"type": "object", **parameters}}}


# Each is a shape that the documents of OpenAI, Azure or Hugging Face show as valid.
SOUND = {
    "one turn": chat(*PAIR),
    "system first": chat({"role": "system", "content": "Be brief."}, *PAIR),
    "several turns with weights": chat(USER, {**ANSWER, "weight": 0}, USER, {**ANSWER, "weight": 1}),
    "call as the answer, without content": chat(
        USER, {"role": "assistant", "tool_calls": [call()]}, tools=[tool()]
    ),
    "call with null content and its result": chat(
        USER,
        {"role": "assistant", "content": None, "tool_calls": [call()]},
        {"role": "tool", "tool_call_id": "call00001", "content": ""},
        ANSWER,
        tools=[tool()],
        parallel_tool_calls=False,
    ),
    "call with empty content": chat(
        USER, {"role": "assistant", "content": "", "tool_calls": [call()]}, tools=[tool()]
    ),
    "parallel calls": chat(
        USER,
        {"role": "assistant", "content": None, "tool_calls": [call(), call(call_id="call00002")]},
        {"role": "tool", "tool_call_id": "call00002", "content": "2"},
        {"role": "tool", "tool_call_id": "call00001", "content": "1"},
        ANSWER,
        tools=[tool()],
    ),
    "image parts": chat(
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "https://example.org/a.png", "detail": "low"}},
            ],
        },
        ANSWER,
    ),
    "an image alone": chat(
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}]},
        ANSWER,
    ),
    "named speakers": chat({**USER, "name": "kim.2"}, {**ANSWER, "name": "Bot-1"}),
    "line ends of Windows inside strings": chat({"role": "user", "content": "a\r\nb\r\n"}, ANSWER),
    "a refusal in place of content": chat(USER, {"role": "assistant", "refusal": "I cannot do that."}),
    "a refusal as a part": chat(
        USER, {"role": "assistant", "content": [{"type": "refusal", "refusal": "I cannot do that."}]}
    ),
    "null where the interface has null": chat(USER, {**ANSWER, "refusal": None, "function_call": None}),
    "thanks twice": chat(
        *PAIR, {"role": "user", "content": "Thanks"}, ANSWER, {"role": "user", "content": "Thanks"}, ANSWER
    ),
}
EVERY_TARGET = ("hf", "azure-openai", "azure-phi", "openai", "mistral")


@pytest.mark.parametrize("target", EVERY_TARGET)
@pytest.mark.parametrize("name", SOUND)
def test_documented_shapes_raise_no_finding(ask: Ask, name: str, target: str) -> None:
    assert ask(SOUND[name], target) == []


def test_a_preference_pair_needs_no_messages(ask: Ask) -> None:
    pair = {
        "input": {"messages": [USER], "tools": [], "parallel_tool_calls": True},
        "preferred_output": [ANSWER],
        "non_preferred_output": [{"role": "assistant", "content": "No."}],
    }
    for target in TARGETS:
        assert ask(pair, target, "dpo") == []
    assert ask({"prompt": "Hi", "chosen": "Hello", "rejected": "No"}, kind="dpo") == []


def test_reinforcement_rows_end_with_the_user_and_have_fields_for_the_grader(ask: Ask) -> None:
    row = chat({"role": "developer", "content": "Solve it."}, USER, solution="1 + 2", reference={"a": 1})

    for target in ("azure-openai", "openai", "hf"):
        assert ask(row, target, "rft") == []
    assert ask(row, "azure-openai", "sft") == [
        ("CHAT006", "warning"),
        ("CHAT006", "warning"),
        ("CHAT011", "error"),
    ]


def test_the_developer_role_is_of_some_targets_only(ask: Ask) -> None:
    row = chat({"role": "developer", "content": "Be brief."}, *PAIR)

    for target in ("hf", "azure-openai", "openai"):
        assert ask(row, target) == []
    for target in ("azure-phi", "together", "mistral"):
        assert ask(row, target) == [("CHAT005", "error")]


def test_one_fault_gives_one_finding(ask: Ask) -> None:
    nobody = {"content": "Where is my card?"}
    cases = {
        "CHAT001": [{"message": PAIR}, {"Conversation ": PAIR}, {}, {"id": 1, "score": 0.5}],
        "CHAT002": [chat(), {"messages": None}, {"messages": {}}, {"messages": "x"}, {"messages": 7}],
        "CHAT003": [chat("Hi", ANSWER), chat(None, ANSWER), chat([USER], ANSWER), chat(USER, "Hello")],
        "CHAT004": [
            chat(nobody, ANSWER),
            chat(USER, {"content": "Yes"}),
            chat(USER, {}),
            chat({**USER, "role": None}, ANSWER),
        ],
        "CHAT005": [
            chat(USER, {**ANSWER, "role": "asistant"}),
            chat({**USER, "role": 7}, ANSWER),
            chat({**USER, "role": ["user"]}, ANSWER),
        ],
        "CHAT008": [
            chat(USER, {"role": "assistant"}),
            chat({"role": "user", "content": None}, ANSWER),
            chat(USER, {"role": "assistant", "contents": "Yes"}),
        ],
        "CHAT009": [
            chat(USER, {**ANSWER, "content": 42}),
            chat(USER, {**ANSWER, "content": {"text": "a"}}),
            chat({**USER, "content": ["a"]}, ANSWER),
            chat({**USER, "content": [{"type": "text"}]}, ANSWER),
            chat({**USER, "content": [{"text": "a"}]}, ANSWER),
        ],
        "CHAT010": [
            chat({**USER, "content": ""}, ANSWER),
            chat(USER, {**ANSWER, "content": " \u200b\ufeff"}),
            chat({**USER, "content": []}, ANSWER),
            chat({**USER, "content": [{"type": "text", "text": " "}]}, ANSWER),
        ],
        "CHAT023": [
            {"conversations": PAIR},
            {"prompt": "a", "completion": None},
            {"instruction": "a", "input": "", "output": "b"},
            chat({"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}),
        ],
        "CHAT024": [
            {"Messages": PAIR},
            {" messages": PAIR},
            chat({"Role": "user", "content": "a"}, ANSWER),
            chat(USER, {"role": "assistant", "CONTENT": "b"}),
        ],
    }
    for rule, rows in cases.items():
        for row in rows:
            assert ask(row) == [(rule, "error")], json.dumps(row)


def test_several_faults_are_all_found(ask: Ask) -> None:
    row = chat(
        "Hi", {"content": "a"}, {"role": "user", "content": None}, {"role": "assistant", "content": 1, "weight": 2}
    )

    assert [rule for rule, _ in ask(row)] == ["CHAT003", "CHAT004", "CHAT008", "CHAT009", "CHAT018"]


def test_a_blank_question_of_zero_width_signs_is_a_warning(ask: Ask) -> None:
    hidden = {"role": "user", "content": "\ufeff\u200b"}

    assert ask(chat(hidden, ANSWER)) == [("CHAT010", "warning")]
    assert ask(chat({**hidden, "content": " \n"}, ANSWER)) == [("CHAT010", "error")]


def test_signs_that_can_be_seen_are_no_blank_content(ask: Ask) -> None:
    for text in ("\u0600", "👩\u200d👩\u200d👧", ".", "\u0301a", "ß", "中", "\x07a", "0"):
        assert ask(chat(USER, {**ANSWER, "content": text})) == [], text


@pytest.mark.parametrize("target", ["hf", "together"])
def test_some_targets_take_prompts_and_plain_text_as_they_are(ask: Ask, target: str) -> None:
    """The rows of TRL's page on dataset formats: language modelling, and prompt-completion in both forms."""
    talk = {
        "prompt": [{"role": "user", "content": "What color is the sky?"}],
        "completion": [{"role": "assistant", "content": "It is blue."}],
    }
    for row in ({"text": "The sky is blue."}, {"prompt": "The sky is", "completion": " blue."}, talk):
        assert ask(row, target) == []
        assert [severity for _, severity in ask(row, "openai")] == ["error"]
    assert ask({**talk, "completion": "It is blue."}, target) == [("CHAT023", "error")]
    assert ask({"text": "The sky is blue.", "label": 1}, target) == [("CHAT001", "error")]
    assert ask({"text": None}, target) == [("CHAT001", "error")]
    assert ask({"instruction": "a", "output": "b", "text": "c"}, target) == [("CHAT023", "error")]


def test_a_chat_may_be_2048_messages_long(ask: Ask) -> None:
    assert ask(chat(*PAIR * 1024), "azure-openai") == []
    assert ask(chat(*PAIR * 1025), "azure-openai") == [("CHAT027", "error")]


def test_hints_name_the_likely_repair(says: Callable[..., list[str]]) -> None:
    assert says({"messages": json.dumps(PAIR)}) == [
        "'messages' is a string: a list was dumped to JSON twice: write it once"
    ]
    assert says({"messages": USER}) == ["'messages' is an object: put the message into a list"]
    assert says({"mesages": PAIR}) == ["'messages' is missing: rename the key 'mesages'"]
    assert says(chat(USER, {"role": "assistant", "text": "b"})) == [
        "messages[1] has no content: rename the key 'text'"
    ]
    assert says(chat({"sender": "user", "content": "a"}, ANSWER)) == [
        "messages[0] has no role: rename the key 'sender'"
    ]


def test_no_text_of_a_chat_is_quoted(says: Callable[..., list[str]]) -> None:
    row = chat({"content": "SECRET WORD"}, "SECRET WORD", {"role": "assistant", "content": ["SECRET WORD"]})

    assert "SECRET" not in " ".join(says(row))


MALFORMED = Path(__file__).parents[1] / "data" / "malformed"


def test_the_malformed_chats_are_judged_as_expected(ask: Ask) -> None:
    """What is no JSON object is told by the rules about files; the rest must be told here, and nothing else."""
    expected = [json.loads(line) for line in (MALFORMED / "chats.expected.jsonl").read_bytes().splitlines()]
    for line, case in zip(read_lines(MALFORMED / "chats.jsonl"), expected, strict=True):
        if not line.raw.startswith(b"{") or case["why"] in ("not-json", "not-utf8"):
            continue
        for target in ("hf", "azure-openai"):
            if case["mutation"] == "prompt-completion" and target == "hf":
                continue  # sound by itself, and among chats told by FILE015
            errors = [rule for rule, severity in ask(line.raw, target) if severity == "error"]
            nothing_learnt = case["mutation"] == "weight-0" and target != "hf"  # sound in form, and of no use
            assert bool(errors) == (case["expect"] == "invalid" or nothing_learnt), (line.number, case, errors)


@pytest.mark.shared
@pytest.mark.parametrize("target", ["hf", "azure-openai"])
@pytest.mark.parametrize(
    "name",
    [
        "chat/azureml_conversation.jsonl",
        "chat/azureml_dialog.train.jsonl",
        "chat/azureml_dialog.validation.jsonl",
        "chat/covid_faq_de.jsonl",
        "chat/fastchat_dummy.jsonl",
        "intent/snips.train.jsonl",
        "safety/do_not_answer.chat.jsonl",
        "safety/hatecheck.chat.jsonl",
        "decontam/humaneval_reference.jsonl",
    ],
)
def test_real_chats_raise_no_finding(ask: Ask, shared: Path, name: str, target: str) -> None:
    for line in read_lines(shared / "data" / name):
        if line.raw:
            assert ask(line.raw, target) == [], line.number


@pytest.mark.shared
def test_naughty_strings_are_no_errors(ask: Ask, shared: Path) -> None:
    for line in read_lines(shared / "data" / "robust" / "blns.jsonl"):
        assert [found for found in ask(line.raw) if found[1] == "error"] == [], line.number


@pytest.mark.shared
def test_of_300_tool_chats_one_breaks_its_own_schema(ask: Ask, shared: Path) -> None:
    found: Counter[tuple[str, str]] = Counter()
    for line in read_lines(shared / "data" / "toolcall" / "glaive_en.jsonl"):
        found.update(ask(line.raw))
    assert found == {("TOOL005", "warning"): 1}, "a list is passed where a number is declared"
