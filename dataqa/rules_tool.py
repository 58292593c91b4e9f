# ruff: noqa: D401 (the first line of a rule's docstring is its title: it says what is wrong)
"""Rules about the shape of declared tools and of calls.

Targets differ: OpenAI, Azure and Mistral want an id for each call and arguments as a string of JSON. The chat
templates that target `hf` stands for go by the order of calls and results, and its documents show calls without
id and arguments as an object: many templates write these as JSON, and would write a string as JSON twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tunegate.core.findings import Severity
from tunegate.core.jsonl import decode
from tunegate.core.location import Path
from tunegate.core.patterns import lazy_pattern
from tunegate.dataqa.carried import Dumped, Loaded
from tunegate.dataqa.hit import KEEP, REMOVE, Hit
from tunegate.dataqa.row import Row
from tunegate.dataqa.rule import rule
from tunegate.dataqa.targets import TARGETS, Target, target_named
from tunegate.dataqa.toolcalls import NEEDS, call_id, calls_of, free_ids, functions_of, ids_in, tools_of
from tunegate.dataqa.turns import messages_of, role_of
from tunegate.dataqa.wording import named, place

_TOOL = '{"type": "function", "function": {"name": "rate", "parameters": {"type": "object"}}}'
_CALL = '{"id": "call00001", "type": "function", "function": {"name": "rate", "arguments": "{}"}}'
_ROW = (
    '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Wait", "tool_calls": ['
    + _CALL
    + ']}], "tools": ['
    + _TOOL
    + "]}"
)

_NAME = lazy_pattern(r"[A-Za-z0-9_-]{1,64}")
_NOT_IN_NAMES = lazy_pattern(r"[^A-Za-z0-9_-]")


def _value_at(row: Row, at: Path) -> Any:
    value: Any = row.value
    for step in at:
        value = value[step]
    return value


def _without_list(row: Row, hit: Hit) -> Any:
    """Take an empty list out where something is left, or write a list that was dumped to a string."""
    found = _value_at(row, hit.at)
    if isinstance(found, str):
        inner = decode(found.encode("utf-8", "surrogatepass"))
        is_list = isinstance(inner.value, list) and inner.value and not inner.faults
        return Loaded.of(inner.value, found) if is_list else KEEP
    if found not in ([], None):
        return KEEP
    alone = len(hit.at) > 1 and row.value["messages"][hit.at[1]].get("content") is None
    return KEEP if alone else REMOVE


@rule(
    "TOOL001",
    Severity.ERROR,
    fix="safe",
    repair=_without_list,
    needs=NEEDS,
    bad=_ROW.replace(_CALL, ""),
    good=_ROW.replace(', "tool_calls": [' + _CALL + "]", ""),
    says="messages[1].tool_calls is empty: take the key out",
)
def no_list_of_tools(row: Row) -> Iterator[Hit]:
    """`tools` or `tool_calls` is empty, or no list.

    Leave the key out where there is none. An empty `tools` harms nobody but is refused by some services, so it is
    a warning. Azure's documents show one, and so do OpenAI's for preference pairs: there it is let be. Target `hf`
    takes null, by which tables are filled up, and `tools` dumped to a string.
    """
    if not row.is_object:
        return
    if "tools" in row.value:
        yield from _fault_of_list(row, row.value["tools"], ("tools",))
    for index, message in row.messages:
        if "tool_calls" in message:
            yield from _fault_of_list(row, message["tool_calls"], ("messages", index, "tool_calls"))


def _fault_of_list(row: Row, found: Any, at: Path) -> Iterator[Hit]:
    of_row = len(at) == 1
    if found == []:
        if not (of_row and (row.kind == "dpo" or target_named(row.target).empty_tools)):
            severity = Severity.WARNING if of_row else None
            yield Hit(f"{place(at)} is empty: take the key out", at, severity=severity)
    elif isinstance(found, list) or (found is None and target_named(row.target).templates):
        return
    elif not (of_row and isinstance(found, str) and tools_of(row)):
        kind = "a string" if isinstance(found, str) else named(found)
        yield Hit(f"{place(at)} is {kind}: it must be a list of objects", at)


def _completed(row: Row, hit: Hit) -> Any:
    """Give the call an id and its type, where nothing else is missing."""
    call = _value_at(row, hit.at)
    if not isinstance(call, dict) or _missing_in_function(call) or row.decoded.faults:
        return KEEP
    messages = messages_of(row)
    if call.get("type", "function") != "function":
        return KEEP
    name = call_id(call) or _id_that_waits(messages, int(hit.at[1])) or next(free_ids(ids_in(messages)))
    return {"id": name, "type": "function", **{key: call[key] for key in call if key not in ("id", "type")}}


def _id_that_waits(messages: list[Any], index: int) -> str | None:
    """Return the id of the one result after a message whose call has no id, where it is clear."""
    calls = messages[index]["tool_calls"]
    results = []
    for message in messages[index + 1 :]:
        if role_of(message) != "tool":
            break
        results.append(message.get("tool_call_id"))
    found = results[0] if len(calls) == 1 and len(results) == 1 else None
    return found if isinstance(found, str) and found and found not in ids_in(messages[:index]) else None


def _missing_in_function(call: Mapping[str, Any]) -> list[str]:
    function = call.get("function")
    if not isinstance(function, dict):
        return ["function"]
    name = function.get("name")
    missing = [] if isinstance(name, str) and name else ["function.name"]
    return missing if function.get("arguments") is not None else [*missing, "function.arguments"]


@rule(
    "TOOL002",
    Severity.ERROR,
    fix="unsafe",
    repair=_completed,
    needs=NEEDS,
    example_target="openai",
    bad=_ROW.replace('"id": "call00001", ', ""),
    good=_ROW,
    says="messages[1].tool_calls[0] has no id: add what is missing",
)
def incomplete_call(row: Row) -> Iterator[Hit]:
    """A call lacks its id, its type, or the name or the arguments of its function.

    A call is `{"id": "...", "type": "function", "function": {"name": "...", "arguments": "{...}"}}`. Without
    arguments write `"{}"`. Target `hf` has examples without id and type, and its templates need neither: there an
    id is missing only where others of the row have one, which is a warning. The fix makes an id.
    """
    target = target_named(row.target)
    ids_needed = not target.templates or _names_ids(row)
    for index, message in row.messages:
        calls = message.get("tool_calls")
        for number, call in enumerate(calls if isinstance(calls, list) else []):
            at: Path = ("messages", index, "tool_calls", number)
            if not isinstance(call, dict):
                yield Hit(f"{place(at)} is {named(call)}: a call is an object with id, type and function", at)
                continue
            inner = _missing_in_function(call)
            outer = [
                *([] if _has_id(call, ids_needed) else ["id"]),
                *([] if _has_type(call, target) else ["type 'function'"]),
            ]
            if inner or outer:
                severity = Severity.WARNING if target.templates and not inner else None
                missing = " and no ".join([*outer, *inner])
                yield Hit(f"{place(at)} has no {missing}: add what is missing", at, severity=severity)


def _names_ids(row: Row) -> bool:
    """Whether a call or a result of the row has an id: then all should."""
    return any(message.get("tool_call_id") is not None for _, message in row.messages) or any(
        call.id is not None for call in calls_of(row)
    )


def _has_id(call: Mapping[str, Any], needed: bool) -> bool:
    found = call.get("id")
    return not needed if found is None else isinstance(found, str) and found != ""


def _has_type(call: Mapping[str, Any], target: Target) -> bool:
    found = call.get("type")
    return found == "function" or not target.types_needed or (target.templates and found is None)


@rule(
    "TOOL003",
    Severity.ERROR,
    severities={name: None for name, target in TARGETS.items() if target.templates},
    fix="safe",
    repair=lambda row, hit: _dumped(_value_at(row, hit.at)),
    needs=NEEDS,
    example_target="openai",
    bad=_ROW.replace('"{}"', "{}"),
    good=_ROW,
    says="messages[1].tool_calls[0].function.arguments is an object: write it as a string of JSON",
)
def arguments_no_string(row: Row) -> Iterator[Hit]:
    """The arguments of a call are an object and not a string.

    They are what the model writes, character by character: a string that holds JSON, and targets refuse anything
    else. Target `hf` is not asked: its documents show objects, which its templates dump.
    """
    for call in calls_of(row):
        found = call.fields.get("arguments")
        if found is not None and not isinstance(found, str):
            at: Path = (*call.function_at, "arguments")
            yield Hit(f"{place(at)} is {named(found)}: write it as a string of JSON", at)


def _dumped(found: Any) -> Any:
    return Dumped.of(found) if isinstance(found, dict) else KEEP


@rule(
    "TOOL004",
    Severity.ERROR,
    needs=NEEDS,
    bad=_ROW.replace('"{}"', '"{\\"unit\\": \\"EUR\\""'),
    good=_ROW.replace('"{}"', '"{\\"unit\\": \\"EUR\\"}"'),
    says="messages[1].tool_calls[0].function.arguments is no JSON: the text ends in the middle of a JSON value",
)
def arguments_no_json(row: Row) -> Iterator[Hit]:
    """The arguments of a call are a string that holds no JSON object.

    The model learns to write calls that no program can read. Without arguments write `{}`.
    """
    for call in calls_of(row):
        found = call.fields.get("arguments")
        if not isinstance(found, str):
            continue
        at: Path = (*call.function_at, "arguments")
        inner = decode(found.encode("utf-8", "surrogatepass"))
        if not found.strip():
            yield Hit(f'{place(at)} is empty: write "{{}}" where there are none', at)
        elif inner.faults:
            reason = inner.faults[0].message.replace("the line", "the text")
            yield Hit(f"{place(at)} is no JSON: {reason}", at)
        elif not isinstance(inner.value, dict):
            kind = "a string" if isinstance(inner.value, str) else named(inner.value)
            yield Hit(f"{place(at)} holds {kind}: it must be a JSON object", at)


def _fault_of_name(name: str) -> str | None:
    if sign := _NOT_IN_NAMES.search(name):
        return f"holds {sign[0]!r}: a name has letters, digits, '_' and '-' only"
    return None if _NAME.fullmatch(name) else f"has {len(name)} characters: a name has 1 to 64"


@rule(
    "TOOL011",
    Severity.ERROR,
    needs=NEEDS,
    bad=_ROW.replace('"rate", "parameters"', '"get rate!", "parameters"').replace(
        ', "tool_calls": [' + _CALL + "]", ""
    ),
    good=_ROW.replace(', "tool_calls": [' + _CALL + "]", ""),
    says="tools[0].function.name holds ' ': a name has letters, digits, '_' and '-' only",
)
def bad_tool_name(row: Row) -> Iterator[Hit]:
    """The name of a tool is none that services take.

    A name has 1 to 64 letters, digits, `_` and `-`. It is told at the definition, and at a call only where the row
    defines no tools.
    """
    declared = False
    for function in functions_of(row):
        declared = True
        if function.name and (reason := _fault_of_name(function.name)):
            at: Path = function.at if function.at == ("tools",) else (*function.at, "name")
            yield Hit(f"{place(at)} {reason}", at)
    if declared:
        return  # a call that differs from every definition is TOOL006's
    for call in calls_of(row):
        if call.name and (reason := _fault_of_name(call.name)):
            at = (*call.function_at, "name")
            yield Hit(f"{place(at)} {reason}", at)


_TOOLS = tuple(_TOOL.replace('"rate"', f'"rate_{number}"') for number in range(129))


@rule(
    "TOOL012",
    Severity.ERROR,
    needs=NEEDS,
    bad=_ROW.replace(', "tool_calls": [' + _CALL + "]", "").replace(_TOOL, ", ".join(_TOOLS)),
    good=_ROW.replace(', "tool_calls": [' + _CALL + "]", "").replace(_TOOL, ", ".join(_TOOLS[:128])),
    says="the row declares 129 tools, and 128 is the most: leave out those that the chat does not need",
)
def too_many_tools(row: Row) -> Iterator[Hit]:
    """The row declares more than 128 tools."""
    most = target_named(row.target).max_tools
    for key in ("tools", "functions"):
        found = tools_of(row) if key == "tools" else row.value.get(key) if row.is_object else None
        if isinstance(found, list) and len(found) > most:
            yield Hit(
                f"the row declares {len(found)} tools, and {most} is the most: "
                "leave out those that the chat does not need",
                (key,),
            )


@rule(
    "TOOL015",
    Severity.ERROR,
    needs=(b"parallel_tool_calls", b"\\u00"),
    bad=_ROW.replace('"tools": [', '"parallel_tool_calls": "yes", "tools": ['),
    good=_ROW.replace('"tools": [', '"parallel_tool_calls": true, "tools": ['),
    says="parallel_tool_calls is 'yes': it must be true or false",
)
def parallel_calls(row: Row) -> Iterator[Hit]:
    """`parallel_tool_calls` is not true or false, or false although a message has several calls."""
    if not row.is_object or "parallel_tool_calls" not in row.value:
        return
    found = row.value["parallel_tool_calls"]
    at: Path = ("parallel_tool_calls",)
    if not isinstance(found, bool) and not (found is None and target_named(row.target).templates):
        yield Hit(f"{place(at)} is {named(found)}: it must be true or false", at)
    if found is not False:
        return
    for index, message in row.messages:
        calls = message.get("tool_calls")
        if isinstance(calls, list) and len(calls) > 1:
            at = ("messages", index, "tool_calls")
            yield Hit(f"{place(at)} has {len(calls)} calls, and parallel_tool_calls is false: say true", at)


@rule(
    "TOOL019",
    Severity.ERROR,
    needs=NEEDS,
    bad=_ROW.replace('"Hi"', '"Hi", "tool_calls": [' + _CALL.replace("call00001", "call00002") + "]"),
    good=_ROW,
    says="messages[0] is the user's and has tool_calls: only the assistant calls tools",
)
def call_of_other(row: Row) -> Iterator[Hit]:
    """A message that is not the assistant's calls a tool."""
    for index, message in row.messages:
        role = role_of(message)
        for key in ("tool_calls", "function_call"):
            if message.get(key) is not None and role not in (None, "assistant"):
                at: Path = ("messages", index)
                yield Hit(f"{place(at)} is the {role}'s and has {key}: only the assistant calls tools", (*at, key))


@rule(
    "TOOL020",
    Severity.ERROR,
    needs=NEEDS,
    bad=_ROW.replace('{"name": "rate", "parameters"', '{"parameters"').replace(
        ', "tool_calls": [' + _CALL + "]", ""
    ),
    good=_ROW.replace(', "tool_calls": [' + _CALL + "]", ""),
    says='tools[0] has no function.name: write {"type": "function", "function": {"name": ...}}',
)
def incomplete_tool(row: Row) -> Iterator[Hit]:
    """A declared tool lacks its type, or the name of its function.

    A tool is `{"type": "function", "function": {"name": "...", "parameters": {...}}}`. Target `hf` takes the
    inner object alone too.
    """
    if not row.is_object:
        return
    inside = isinstance(row.value.get("tools"), list)
    for index, tool in enumerate(tools_of(row)):
        at: Path = ("tools", index) if inside else ("tools",)
        missing = _missing_in_tool(tool, row.target)
        if missing:
            shape = '{"type": "function", "function": {"name": ...}}'
            yield Hit(f"{place(at)} has no {missing}: write {shape}", at)
    old = row.value.get("functions")
    for index, function in enumerate(old if isinstance(old, list) else []):
        name = function.get("name") if isinstance(function, dict) else None
        if not isinstance(name, str) or not name:
            at = ("functions", index)
            yield Hit(f"{place(at)} has no name: a function is an object with name and parameters", at)


def _missing_in_tool(tool: Any, target: str) -> str | None:
    if not isinstance(tool, dict):
        return "type and function"
    function = tool.get("function")
    table = target_named(target)
    if table.templates and function is None and isinstance(tool.get("name"), str) and tool["name"]:
        return None
    if not isinstance(function, dict):
        return "function"
    if not isinstance(function.get("name"), str) or not function["name"]:
        return "function.name"
    optional = (table.templates or not table.types_needed) and "type" not in tool
    return None if tool.get("type") == "function" or optional else "type 'function'"


RULES = (
    no_list_of_tools,
    incomplete_call,
    arguments_no_string,
    arguments_no_json,
    bad_tool_name,
    too_many_tools,
    parallel_calls,
    call_of_other,
    incomplete_tool,
)
