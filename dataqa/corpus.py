"""Entries: what is kept of each sound row, so that rules and `prepare` can look at the whole set at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import blake2b
from typing import Any

import orjson

from tunegate.core.chat import text_of
from tunegate.dataqa.prefixes import prefixes_of
from tunegate.dataqa.reasoning import reasoning_of
from tunegate.dataqa.rule import Entry, Row, Split
from tunegate.dataqa.toolcalls import definitions_of

_SYSTEM_ROLES = ("system", "developer")
_SOURCE = "source"
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(-?\d+)\]|\['([^']*)'\]")


def entry_of(
    row: Row,
    split: Split,
    group_key: str | None = None,
    *,
    label_path: str | None = None,
    on: str = "user",
) -> Entry | None:
    """Return what is kept of a row, or None where it is no sound chat.

    Sound is a row whose messages are objects with a role, of which one is the user's and the last the assistant's
    (the user's in reinforcement data). `group_key` and `label_path` are JSON paths; `on` names the text that near
    duplicates are compared by: user, assistant, all or raw.
    """
    value = row.value
    if row.decoded.faults or not isinstance(value, dict):
        return None
    messages = _messages(value.get("messages"), row.kind)
    if messages is None:
        return None
    last = messages[-1] if messages[-1]["role"] == "assistant" else None
    before = messages[:-1] if last is not None else messages
    system, prompt = "", ""
    for message in before:
        text = text_of(message.get("content"))
        if message["role"] == "user":
            prompt = f"{prompt}\n{text}" if prompt else text
        elif message["role"] in _SYSTEM_ROLES:
            system = f"{system}\n{text}" if system else text
    answer = answer_of(last) if last is not None else ""
    return Entry(
        path=row.path,
        line=row.line,
        row_id=row.id,
        split=split,
        prompt=prompt,
        answer=answer,
        context=_context(value, before),
        system=system,
        label=None if label_path is None else as_text(value_at(value, label_path)),
        group=None if group_key is None else as_text(group_of(value, group_key)),
        calls=_called(messages) if b"_call" in row.raw else (),
        text=_compared(row, on, messages, answer),
        history=_history(value, before),
        media=_media(before),
        reasoning=reasoning_of(row),
        tools=definitions_of(row),
        source=as_text(group_of(value, _SOURCE)) if b'"source"' in row.raw else None,
        prefixes=_prefixes(value, messages) if len(messages) > 3 else (),
    )


def _messages(found: Any, kind: str) -> list[dict[str, Any]] | None:
    if not isinstance(found, list) or not found:
        return None
    asked = False
    for message in found:
        if not isinstance(message, dict):
            return None
        role = message.get("role")
        if not isinstance(role, str):
            return None
        asked = asked or role == "user"
    return found if asked and (role == "assistant" or (kind == "rft" and role == "user")) else None


def _called(messages: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the names of the tools that are called, sorted."""
    names = {
        name
        for message in messages
        for call in [*_listed(message.get("tool_calls")), {"function": message.get("function_call")}]
        if isinstance(call, dict)
        and isinstance(function := call.get("function"), dict)
        and isinstance(name := function.get("name"), str)
    }
    return tuple(sorted(names))


def _compared(row: Row, on: str, messages: Sequence[Mapping[str, Any]], answer: str) -> str | None:
    """Return the text that near duplicates are compared by; None for the prompt, which is kept anyway."""
    if on == "assistant":
        return (
            "\n".join(text_of(item.get("content")) for item in messages if item["role"] == "assistant") or answer
        )
    if on == "all":
        return "\n".join(text_of(item.get("content")) for item in messages)
    return row.raw.decode() if on == "raw" else None


def answer_of(message: Mapping[str, Any]) -> str:
    """Return the text of a message, and one line for each of its tool calls: name and arguments."""
    text = text_of(message.get("content"))
    calls = _listed(message.get("tool_calls"))
    if not calls and not message.get("function_call"):
        return text
    functions = [call.get("function") for call in calls if isinstance(call, dict)]
    functions.append(message.get("function_call"))
    lines = [
        f"{item.get('name')}({_arguments(item.get('arguments'))})" for item in functions if isinstance(item, dict)
    ]
    return "\n".join([text, *lines] if text else lines)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _arguments(arguments: Any) -> str:
    """Return arguments with sorted keys and no white space, so that their order makes no difference."""
    if isinstance(arguments, str):
        try:
            arguments = orjson.loads(arguments)
        except orjson.JSONDecodeError:
            return str(arguments)
    return orjson.dumps(arguments, option=orjson.OPT_SORT_KEYS).decode()


def _digest(value: Any) -> str:
    return blake2b(orjson.dumps(value, option=orjson.OPT_SORT_KEYS), digest_size=12).hexdigest()


def _context(row: Mapping[str, Any], before: Sequence[Mapping[str, Any]]) -> str:
    """Return a digest of the messages before the answer and the tools; ids of calls make no difference."""
    tools = [row.get(key) for key in ("tools", "functions") if row.get(key)]
    return _digest([*map(_without_ids, before), tools] if tools else [_without_ids(item) for item in before])


def _prefixes(row: Mapping[str, Any], messages: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return what the conversation up to each earlier trained answer is known by; see `prefixes.py`."""
    tools = [row.get(key) for key in ("tools", "functions") if row.get(key)]
    return prefixes_of(messages, tools, _without_ids, answer_of)


def _without_ids(message: Mapping[str, Any]) -> Mapping[str, Any]:
    if "tool_calls" not in message and "tool_call_id" not in message:
        return message
    kept = {key: value for key, value in message.items() if key not in ("tool_calls", "tool_call_id")}
    return {**kept, "content": answer_of(message)}


def _history(row: Mapping[str, Any], before: Sequence[Mapping[str, Any]]) -> str:
    """Return a digest of what is neither the user's text nor the system's; empty for a plain question."""
    tools = [row.get(key) for key in ("tools", "functions") if row.get(key)]
    others = [item for item in before if item["role"] != "user" and item["role"] not in _SYSTEM_ROLES]
    if not others and not tools:
        return ""
    return _digest([tools, *([item["role"], " ".join(answer_of(item).casefold().split())] for item in others)])


def _media(before: Sequence[Mapping[str, Any]]) -> str:
    """Return a digest of the parts that are no text; empty where there are none."""
    parts = [
        part
        for message in before
        if isinstance(message.get("content"), list)
        for part in message["content"]
        if not (isinstance(part, dict) and isinstance(part.get("text"), str))
    ]
    return _digest(parts) if parts else ""


def value_at(row: Any, path: str) -> Any:
    """Return the value at a JSON path such as `label`, `metadata.intent` or `$.messages[-1].content`, or None."""
    for step in _steps(path):
        if isinstance(step, str):
            row = row.get(step) if isinstance(row, dict) else None
        else:
            row = row[step] if isinstance(row, list) and -len(row) <= step < len(row) else None
        if row is None:
            return None
    return row


def group_of(row: Any, path: str) -> Any:
    """Return the value at a path, or at the same path in `metadata`, where rows carry keys of their own."""
    found = value_at(row, path)
    return value_at(row, f"metadata.{path}") if found is None and "." not in path else found


@cache
def _steps(path: str) -> tuple[str | int, ...]:
    rest = path.removeprefix("$")
    return tuple(int(index) if index else key or quoted for key, index, quoted in _STEP.findall(rest))


def as_text(value: Any) -> str | None:
    """Return a label or a group as text; None where it is missing or no single value."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, (bool, int, float)):
        return orjson.dumps(value).decode()
    return None
