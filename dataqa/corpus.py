"""Entries: what is kept of each sound row, so that rules and `prepare` can look at the whole set at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import blake2b
from typing import Any

import orjson

from tunegate.core.chat import text_of
from tunegate.core.patterns import lazy_pattern
from tunegate.dataqa.entry import Compared, Entry
from tunegate.dataqa.normal import folded
from tunegate.dataqa.pairs import Pair, pair_of
from tunegate.dataqa.prefixes import prefixes_of
from tunegate.dataqa.reasoning import reasoning_of
from tunegate.dataqa.row import Row, Split
from tunegate.dataqa.tokens import TOKENS_PER_MESSAGE
from tunegate.dataqa.toolcalls import definitions_of

_SYSTEM_ROLES = ("system", "developer")
_SOURCE = "source"
_STEP = lazy_pattern(r"\.?([^.\[\]]+)|\[(-?\d+)\]|\['([^']*)'\]")


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
    if row.decoded.faults or not isinstance(row.value, dict):
        return None
    pair = pair_of(row) if row.kind == "dpo" else None
    chat = row if pair is None else pair.preferred
    label = None if label_path is None else as_text(value_at(row.value, label_path))
    group = None if group_key is None else as_text(group_of(row.value, group_key))
    entry = _entry_of_chat(chat, row, split, on, label=label, group=group)
    return entry if pair is None or entry is None else _with_both(entry, pair)


def _entry_of_chat(
    chat: Row, row: Row, split: Split, on: str, *, label: str | None, group: str | None
) -> Entry | None:
    """Return the entry of a chat, which in a preference row is made of parts of the row."""
    value = chat.value
    is_plain = chat.decoded.is_plain  # then there are only texts, of which the last is the answer
    messages = value["messages"] if is_plain else _messages(value.get("messages"), row.kind)
    if messages is None:
        return None
    last = messages[-1] if messages[-1]["role"] == "assistant" else None
    before = messages[:-1] if last is not None else messages
    system, prompt = "", ""
    size = trained = 0
    for message in before:
        text = text_of(message.get("content"))
        tokens = _estimate(message, text)
        size += tokens + TOKENS_PER_MESSAGE
        if message["role"] == "assistant" and message.get("weight", 1) != 0:
            trained += tokens + 1
        if message["role"] == "user":
            prompt = f"{prompt}\n{text}" if prompt else text
        elif message["role"] in _SYSTEM_ROLES:
            system = f"{system}\n{text}" if system else text
    answer = answer_of(last) if last is not None else ""
    if last is not None:
        size += _in_tokens(answer) + TOKENS_PER_MESSAGE
        if last.get("weight", 1) != 0:
            trained += _in_tokens(answer) + 1
    if "tools" in value:
        size += _in_tokens(orjson.dumps(value["tools"]))
    return Entry(
        path=row.path,
        line=row.line,
        row_id=row.id,
        split=split,
        prompt=prompt,
        answer=answer,
        context=_digest(before) if is_plain else _context(value, before),
        system=system,
        label=label,
        group=group,
        calls=_called(messages) if b"_call" in row.raw else (),
        text=_compared(row, on, messages, answer),
        history=_history(value, before),
        media="" if is_plain else _media(before),
        size=size,
        trained=trained,
        reasoning=reasoning_of(chat),
        tools=() if is_plain else definitions_of(chat),
        source=as_text(group_of(row.value, _SOURCE)) if b'"source"' in row.raw else None,
        prefixes=_prefixes(value, messages) if len(messages) > 3 else (),
    )


# OpenAI's rule of thumb for English. It is off by a factor for other languages, but by the same one for all texts
# of a set, and the rules that use it compare rows of one set.
CHARACTERS_PER_TOKEN = 4


def _in_tokens(text: str | bytes) -> int:
    return (len(text) + CHARACTERS_PER_TOKEN - 1) // CHARACTERS_PER_TOKEN


def _estimate(message: Mapping[str, Any], text: str) -> int:
    """Return about how many tokens a message has, by the length of its text and calls."""
    has_calls = "tool_calls" in message or "function_call" in message
    return _in_tokens(answer_of(message) if has_calls else text)


def _with_both(entry: Entry, pair: Pair) -> Entry:
    """Return the entry of a preference row: it is the same as another only where both answers are."""
    preferred, rejected = map(texts_of, pair.answers())
    question = _digest([folded(entry.system), folded(entry.prompt), entry.history, entry.media])
    compared = Compared(
        question, _digest(folded(preferred)), _digest(folded(rejected)), (len(preferred), len(rejected))
    )
    return entry._replace(
        context=_digest([entry.context, preferred, rejected]),
        history=_digest([entry.history, compared.preferred, compared.rejected]),
        pair=compared,
        at=pair.at,
        tools_at=(*pair.fields_at, "tools"),
    )


def texts_of(messages: Sequence[Mapping[str, Any]]) -> str:
    """Return the text of several messages with their calls, a line for each."""
    return "\n".join(map(answer_of, messages))


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
