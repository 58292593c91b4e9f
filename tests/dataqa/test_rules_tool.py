"""Tools and calls: what each target takes, the shape of calls, and the calls of deprecated functions."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tunegate.dataqa.hit import KEEP

Ask = Callable[..., list[tuple[str, str]]]
Says = Callable[..., list[str]]
Mend = Callable[..., Any]

USER = {"role": "user", "content": "Where is my card?"}
ANSWER = {"role": "assistant", "content": "On its way."}


def call(arguments: Any = "{}", call_id: str | None = "call00001", name: str = "track") -> dict[str, Any]:
    made = {"type": "function", "function": {"name": name, "arguments": arguments}}
    return made if call_id is None else {"id": call_id, **made}


def calling(*calls: Any, content: Any = None, **fields: Any) -> dict[str, Any]:
    return {"messages": [USER, {"role": "assistant", "content": content, "tool_calls": list(calls)}], **fields}


def tool(name: Any = "track", **function: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, **function}}


def rules(found: list[tuple[str, str]]) -> list[str]:
    return [rule for rule, _ in found]


def test_azures_own_shortened_examples_are_sound_there(ask: Ask) -> None:
    """Its page on tool calling shows `tools` as an empty list, and parameters without properties."""
    assert ask(calling(call('{"a": 1}'), tools=[]), "azure-openai") == []
    short = tool(parameters={"type": "object", "required": ["a"]})
    assert ask(calling(call('{"a": 1}'), tools=[short]), "azure-openai") == []
    assert ask(calling(call('{"a": 1}')), "azure-openai") == []


def test_calls_as_templates_take_them_are_sound_with_hf(ask: Ask) -> None:
    """The documents of transformers and TRL show calls without id and arguments as an object."""
    result = {"role": "tool", "name": "track", "content": "21"}
    row = calling({"type": "function", "function": {"name": "track", "arguments": {"a": 1}}}, tools=[tool()])
    row["messages"] += [result, ANSWER]

    assert ask(row) == []
    del row["messages"][1]["tool_calls"][0]["type"]
    assert ask(row) == []
    row["messages"][1]["tool_calls"][0]["type"] = None  # as tables fill up what a row lacks
    assert ask(row) == []
    assert ask(row, "openai") == [("TOOL002", "error"), ("TOOL003", "error"), ("TOOL007", "error")]


def test_an_id_is_missing_with_hf_where_the_row_has_others(ask: Ask) -> None:
    row = calling(call(call_id=None), call())
    assert ask(row) == [("TOOL002", "warning")]
    assert ask(calling(call(call_id=None), call(call_id=None))) == []
    assert ask(calling({**call(), "id": 7})) == [("TOOL002", "warning")]
    assert ask(calling({**call(), "type": "custom"})) == [("TOOL002", "warning")]


def test_tools_dumped_to_a_string_and_bare_functions_are_read_with_hf(ask: Ask, mend: Mend) -> None:
    tools = [tool(parameters={"type": "object", "required": ["a"]})]
    row = calling(call(), tools=json.dumps(tools))

    assert ask(row) == [("TOOL005", "error")]
    assert ask(calling(call(), tools=[{"name": "track", "parameters": {}}])) == []
    assert ask(row, "openai") == [("TOOL001", "error")]
    assert mend(row, "TOOL001", "openai")["tools"] == tools
    assert ask(calling(call(), tools="tools of the trade"), "hf") == [("TOOL001", "error")]


def test_null_fills_tables_up_with_hf(ask: Ask) -> None:
    row = {"messages": [USER, {**ANSWER, "tool_calls": None}], "tools": None, "parallel_tool_calls": None}

    assert ask(row) == []
    assert rules(ask(row, "openai")) == ["TOOL001", "TOOL001", "TOOL015"]


def test_empty_lists(ask: Ask, mend: Mend) -> None:
    empty = {"messages": [USER, {**ANSWER, "tool_calls": []}]}
    assert ask(empty) == [("TOOL001", "error")]
    assert mend(empty, "TOOL001") == {"messages": [USER, ANSWER]}
    assert mend(calling(), "TOOL001") is KEEP, "nothing would be left of the answer"
    assert ask({"messages": [USER, ANSWER], "tools": []}) == [("TOOL001", "warning")]
    assert mend({"messages": [USER, ANSWER], "tools": {}}, "TOOL001") is KEEP


@pytest.mark.parametrize(
    ("broken", "says_no"),
    [
        ({**call(), "id": 7}, "id"),
        ({**call(), "id": ""}, "id"),
        ({"id": "call00001", "function": call()["function"]}, "type 'function'"),
        ({"id": "call00001", "type": "function"}, "function"),
        ({"id": "call00001", "type": "function", "function": "track"}, "function"),
        ({"id": "call00001", "type": "function", "function": {"arguments": "{}"}}, "function.name"),
        ({"id": "call00001", "type": "function", "function": {"name": "track"}}, "function.arguments"),
        ({}, "id and no type 'function' and no function"),
    ],
)
def test_what_a_call_lacks_is_told_at_once(ask: Ask, says: Says, broken: Any, says_no: str) -> None:
    assert ask(calling(broken), "openai") == [("TOOL002", "error")]
    assert says(calling(broken), "openai") == [f"messages[1].tool_calls[0] has no {says_no}: add what is missing"]


def test_an_id_is_made_and_its_result_follows(ask: Ask, mend: Mend) -> None:
    row = calling(call(call_id=None), call(call_id=None))
    assert mend(row, "TOOL002", "openai")["messages"][1]["tool_calls"][0]["id"] == "call00001"

    named = calling(call(call_id=None))
    named["messages"] += [{"role": "tool", "tool_call_id": "abc", "content": "21"}, ANSWER]
    mended = mend(named, "TOOL002", "openai")
    assert mended["messages"][1]["tool_calls"][0]["id"] == "abc"
    assert ask(mended, "openai") == []
    assert mend(calling({**call(call_id=None), "type": "custom"}), "TOOL002", "openai") is KEEP


def test_arguments_are_dumped_to_a_string(ask: Ask, mend: Mend) -> None:
    row = calling(call({"city": "Köln", "n": 1.5}))

    assert ask(row) == []
    assert ask(row, "azure-openai") == [("TOOL003", "error")]
    mended = mend(row, "TOOL003", "azure-openai")
    assert mended["messages"][1]["tool_calls"][0]["function"]["arguments"] == '{"city": "Köln", "n": 1.5}'
    assert ask(mended, "azure-openai") == []
    assert mend(calling(call([1])), "TOOL003", "openai") is KEEP


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("", 'is empty: write "{}" where there are none'),
        ("{'a': 1}", "is no JSON: single quotes are not JSON: use double quotes"),
        ('{"a": 1', "is no JSON: the text ends in the middle of a JSON value"),
        ('{"a": NaN}', "is no JSON: NaN is not JSON"),
        ('{"a": 1, "a": 2}', "is no JSON: the key 'a' stands more than once in one object"),
        ("[1]", "holds a list: it must be a JSON object"),
        ('"SECRET"', "holds a string: it must be a JSON object"),
        ("null", "holds null: it must be a JSON object"),
    ],
)
def test_arguments_must_hold_an_object(ask: Ask, says: Says, arguments: str, reason: str) -> None:
    row = calling(call(arguments), tools=[tool(parameters={"type": "object", "required": ["a"]})])

    assert ask(row) == [("TOOL004", "error")]
    assert says(row) == [f"messages[1].tool_calls[0].function.arguments {reason}"]


def test_names_of_tools(ask: Ask) -> None:
    answered = {"messages": [USER, ANSWER]}
    for good in ("a", "get_weather", "Get-Weather-2", "x" * 64):
        assert ask({**answered, "tools": [tool(good)]}) == [], good
    for bad in ("get weather!", "a.b", "wetter_für", "x" * 65):
        assert ask({**answered, "tools": [tool(bad)]}) == [("TOOL011", "error")], bad
        assert ask(calling(call(name=bad), tools=[tool(bad)])) == [("TOOL011", "error")], "told at the definition"
        assert ask(calling(call(name=bad))) == [("TOOL011", "error")], "or at the call, where there is none"
    for bad in ("", None, 7):
        assert ask({**answered, "tools": [tool(bad)]}) == [("TOOL020", "error")], bad


def test_declared_tools_need_type_and_function(ask: Ask) -> None:
    answered = {"messages": [USER, ANSWER]}
    bare = {"name": "track", "parameters": {}}
    for bad in ("track", {}, {"type": "function"}, {"type": "tool", "function": bare}, {"function": "track"}):
        assert ask({**answered, "tools": [bad]}) == [("TOOL020", "error")], bad
    assert ask({**answered, "tools": [bare]}, "openai") == [("TOOL020", "error")]
    assert ask({**answered, "tools": [{"function": bare}]}, "mistral") == []
    assert ask({**answered, "tools": [{"function": bare}]}, "openai") == [("TOOL020", "error")]


def test_128_tools_are_taken(ask: Ask) -> None:
    tools = [tool(f"t{number}") for number in range(129)]
    assert ask({"messages": [USER, ANSWER], "tools": tools[:128]}) == []
    assert ask({"messages": [USER, ANSWER], "tools": tools}) == [("TOOL012", "error")]


def test_parallel_calls(ask: Ask) -> None:
    two = [call(), call(call_id="call00002")]
    assert ask(calling(*two, parallel_tool_calls=True)) == []
    assert ask(calling(call(), parallel_tool_calls=False)) == []
    assert ask(calling(*two, parallel_tool_calls=False)) == [("TOOL015", "error")]
    for bad in ("yes", 1, 0, [], {}):
        assert ask(calling(call(), parallel_tool_calls=bad)) == [("TOOL015", "error")]


def test_only_the_assistant_calls(ask: Ask) -> None:
    row = {"messages": [{**USER, "tool_calls": [call()]}, ANSWER]}
    assert ask(row) == [("TOOL019", "error")]
    row["messages"].insert(1, {"role": "tool", "tool_call_id": "call00001", "content": "21"})
    assert ask(row) == [("TOOL019", "error")], "its result is no second fault"


OLD_CALL = {"role": "assistant", "content": None, "function_call": {"name": "track", "arguments": '{"a": 1}'}}
OLD_RESULT = {"role": "function", "name": "track", "content": "21"}
FUNCTION = {"name": "track", "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}}}
OLD = {"messages": [USER, OLD_CALL, OLD_RESULT, ANSWER], "functions": [FUNCTION], "id": "row 7"}


def test_deprecated_calls_are_a_warning_where_they_are_known(ask: Ask) -> None:
    without_id = {key: value for key, value in OLD.items() if key != "id"}
    for target in ("hf", "openai", "azure-openai"):
        assert ask(without_id, target) == [("TOOL013", "warning")]
        assert ask({**without_id, "functions": []}, target) == [("TOOL013", "warning")]
        assert ask({"messages": [USER, OLD_CALL]}, target) == [("TOOL013", "warning")]
        silent = {"role": "assistant", "function_call": OLD_CALL["function_call"]}
        assert ask({"messages": [USER, silent]}, target) == [("TOOL013", "warning")]
    for target in ("mistral", "together", "azure-phi"):
        assert ask(without_id, target) == [("TOOL013", "error")]


def test_deprecated_calls_are_held_against_their_functions_too(ask: Ask) -> None:
    wrong = {**OLD_CALL, "function_call": {"name": "trace", "arguments": '{"a": "x"'}}
    row = {"messages": [USER, wrong], "functions": [FUNCTION]}
    assert rules(ask(row)) == ["TOOL004", "TOOL006", "TOOL013"]


def test_deprecated_calls_are_migrated(ask: Ask, mend: Mend) -> None:
    mended = mend(OLD, "TOOL013")

    assert json.dumps(mended) == json.dumps(
        {
            "messages": [
                USER,
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {
                            "id": "call00001",
                            "type": "function",
                            "function": {"name": "track", "arguments": '{"a": 1}'},
                        }
                    ],
                },
                {"role": "tool", "tool_call_id": "call00001", "content": "21"},
                ANSWER,
            ],
            "tools": [{"type": "function", "function": FUNCTION}],
            "id": "row 7",
        }
    )
    assert ask(mended) == []
    null = {**OLD, "messages": [USER, {**ANSWER, "function_call": None}]}
    assert mend(null, "TOOL013")["messages"] == [USER, ANSWER]


def test_what_cannot_be_migrated_is_left_to_a_person(mend: Mend) -> None:
    for messages in (
        [USER, OLD_RESULT, ANSWER],
        [USER, OLD_CALL, {**OLD_RESULT, "name": "other"}, ANSWER],
        [USER, {**OLD_CALL, "function_call": "auto"}],
    ):
        assert mend({"messages": messages, "functions": [FUNCTION]}, "TOOL013") is KEEP
    assert mend({**OLD, "function_call": "auto"}, "TOOL013") is KEEP
    assert mend({**OLD, "functions": "track"}, "TOOL013") is KEEP


def test_old_and_new_names_together_are_one_error(ask: Ask) -> None:
    assert ask({**OLD, "id": 1, "tools": [tool()]}) == [("TOOL014", "error")]
    row = calling(call())
    row["messages"] += [{"role": "function", "name": "track", "content": "21"}, ANSWER]
    assert ask(row) == [("TOOL014", "error")], "the result is not also missing"
