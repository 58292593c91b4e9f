# ruff: noqa: D401 (the first line of a rule's docstring is its title: it says what is wrong)
"""Rules about `functions` and `function_call`, the names of tools and calls until 2023."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tunegate.core.findings import Severity
from tunegate.core.location import Path
from tunegate.dataqa.hit import KEEP, Hit
from tunegate.dataqa.row import Row
from tunegate.dataqa.rule import rule
from tunegate.dataqa.targets import target_named
from tunegate.dataqa.toolcalls import free_ids, ids_in
from tunegate.dataqa.turns import messages_of
from tunegate.dataqa.wording import place

_NEEDS = (b"function", b"\\u00")

_OLD = (
    '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": null, '
    '"function_call": {"name": "rate", "arguments": "{}"}}]}'
)
_NEW = (
    '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": null, '
    '"tool_calls": [{"id": "call00001", "type": "function", "function": {"name": "rate", "arguments": "{}"}}]}]}'
)
_MIXED = _NEW.replace("]}]}", ']}], "functions": [{"name": "rate"}]}')
_TOOLS = _NEW.replace("]}]}", ']}], "tools": [{"type": "function", "function": {"name": "rate"}}]}')


def _old_places(row: Row) -> Iterator[Path]:
    """Give where a row uses the old names: definitions, calls and results."""
    if not row.is_object:
        return
    for key in ("functions", "function_call"):
        if row.value.get(key) is not None and "messages" in row.value:
            yield (key,)
    for index, message in row.messages:
        if message.get("function_call") is not None:
            yield ("messages", index, "function_call")
        elif message.get("role") == "function":
            yield ("messages", index, "role")


def _is_new(row: Row) -> bool:
    if row.is_object and row.value.get("tools") not in (None, []):
        return True
    return any(
        message.get("tool_calls") not in (None, []) or message.get("role") == "tool" for _, message in row.messages
    )


def _migrated(row: Row, _hit: Hit) -> Any:
    """Write the row with tools and calls in place of functions; KEEP where a part is not sound."""
    if row.decoded.faults or row.value.get("function_call") is not None:
        return KEEP
    made: dict[str, Any] = {}
    for key, value in row.value.items():
        if key == "functions":
            if not isinstance(value, list):
                return KEEP
            if value:
                made["tools"] = [{"type": "function", "function": function} for function in value]
        elif key == "messages":
            messages = _migrated_messages(messages_of(row))
            if messages is None:
                return KEEP
            made[key] = messages
        elif key not in made:
            made[key] = value
    return made


def _migrated_messages(messages: list[Any]) -> list[Any] | None:
    made: list[Any] = []
    fresh = free_ids(ids_in(messages))
    waiting: tuple[str, Any] | None = None
    for message in messages:
        if not isinstance(message, dict):
            return None
        call = message.get("function_call")
        if message.get("role") == "function":
            if waiting is None or message.get("name", waiting[1]) != waiting[1]:
                return None
            content = message.get("content")
            made.append(
                {"role": "tool", "tool_call_id": waiting[0], "content": "" if content is None else content}
            )
            waiting = None
        elif call is not None:
            if not isinstance(call, dict):
                return None
            waiting = (next(fresh), call.get("name"))
            made.append(_with_tool_call(message, waiting[0], call))
        else:
            made.append({key: value for key, value in message.items() if key != "function_call"})
    return made


def _with_tool_call(message: Mapping[str, Any], name: str, call: Any) -> dict[str, Any]:
    calls = [{"id": name, "type": "function", "function": call}]
    return {
        ("tool_calls" if key == "function_call" else key): (calls if key == "function_call" else value)
        for key, value in message.items()
        if key != "tool_calls"
    }


@rule(
    "TOOL013",
    Severity.WARNING,
    fix="safe",
    repair=_migrated,
    needs=_NEEDS,
    bad=_OLD,
    good=_NEW,
    says="messages[1].function_call is deprecated: write tools, tool_calls and the role tool",
)
def deprecated_functions(row: Row) -> Iterator[Hit]:
    """The row uses `functions`, `function_call` or the role function, which are deprecated.

    OpenAI and Azure OpenAI still take them. Targets that never knew them refuse the row, which is an error there.
    The fix writes tools, calls with ids, and their results.
    """
    found = next(_old_places(row), None)
    if found is None or _is_new(row):
        return  # both at once is TOOL014's
    known = "function" in target_named(row.target).roles
    what = "the role 'function'" if found[-1] == "role" else ""
    text = f"{place(found)} is {what}, which is deprecated" if what else f"{place(found)} is deprecated"
    yield Hit(
        f"{text}: write tools, tool_calls and the role tool",
        found,
        severity=None if known else Severity.ERROR,
        mends=(),
    )


@rule(
    "TOOL014",
    Severity.ERROR,
    needs=_NEEDS,
    bad=_MIXED,
    good=_TOOLS,
    says="functions stands beside tools or tool_calls: use the new names only",
)
def mixed_names(row: Row) -> Iterator[Hit]:
    """The row mixes the deprecated names with the new ones.

    Readers look at one of the two and leave the other unread.
    """
    found = next(_old_places(row), None)
    if found is not None and _is_new(row):
        yield Hit(f"{place(found)} stands beside tools or tool_calls: use the new names only", found)


RULES = (deprecated_functions, mixed_names)
