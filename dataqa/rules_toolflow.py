# ruff: noqa: D401 (the first line of a rule's docstring is its title: it says what is wrong)
"""Rules about calls and their results: each result answers a call, each call has its own id and is answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tunegate.core.findings import Severity
from tunegate.core.location import Path
from tunegate.core.patterns import lazy_pattern
from tunegate.dataqa.hit import KEEP, Hit
from tunegate.dataqa.row import Row
from tunegate.dataqa.rule import rule
from tunegate.dataqa.targets import TARGETS
from tunegate.dataqa.toolcalls import NEEDS, call_id, flow_of, free_ids, ids_in, renamed
from tunegate.dataqa.turns import messages_of, role_of
from tunegate.dataqa.wording import near, place, quoted

_ROW = (
    '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": null, "tool_calls": ['
    '{"id": "call00001", "type": "function", "function": {"name": "rate", "arguments": "{}"}}, '
    '{"id": "call00002", "type": "function", "function": {"name": "rate", "arguments": "{}"}}]}, '
    '{"role": "tool", "tool_call_id": "call00001", "content": "21"}, '
    '{"role": "tool", "tool_call_id": "call00002", "content": "22"}, '
    '{"role": "assistant", "content": "21 and 22"}]}'
)

_MISTRAL_ID = lazy_pattern(r"[A-Za-z0-9]{9}")
_ONLY_MISTRAL: Mapping[str, Severity | None] = {
    name: None for name, target in TARGETS.items() if not target.nine_sign_ids
}


def _with_waiting_id(row: Row, hit: Hit) -> Any:
    """Give the result the id of the one call before it that no result names, where it is clear."""
    messages = messages_of(row)
    index = int(hit.at[1])
    start = index
    while start and role_of(messages[start]) == "tool":
        start -= 1
    calls = messages[start].get("tool_calls") if isinstance(messages[start], dict) else None
    waiting = [call_id(call) for call in calls] if isinstance(calls, list) else []
    nameless = 0
    for number, message in enumerate(messages[start + 1 :], start + 1):
        if role_of(message) != "tool":
            break
        found = message.get("tool_call_id")
        if found in waiting and isinstance(found, str):
            waiting.remove(found)
        elif number < index:
            nameless += 1
    name = waiting[nameless] if nameless < len(waiting) else None
    return KEEP if name is None or row.decoded.faults else {**messages[index], "tool_call_id": name}


@rule(
    "TOOL007",
    Severity.ERROR,
    fix="unsafe",
    repair=_with_waiting_id,
    needs=NEEDS,
    bad=_ROW.replace('"tool_call_id": "call00002", ', ""),
    good=_ROW,
    says="messages[3] is a result without tool_call_id: add the id of the call that it answers",
)
def result_without_id(row: Row) -> Iterator[Hit]:
    """The result of a tool does not name the call that it answers.

    With target `hf` a result needs no id where its call has none: templates go by the order. The fix takes the
    call that waits.
    """
    for index in flow_of(row).nameless:
        at: Path = ("messages", index)
        yield Hit(f"{place(at)} is a result without tool_call_id: add the id of the call that it answers", at)


@rule(
    "TOOL008",
    Severity.ERROR,
    needs=NEEDS,
    bad=_ROW.replace('"tool_call_id": "call00002"', '"tool_call_id": "call99999"'),
    good=_ROW,
    says="messages[3].tool_call_id is 'call99999', and no call before it has that id: did you mean 'call00002'?",
)
def result_without_call(row: Row) -> Iterator[Hit]:
    """The result of a tool names a call that is not there, or one that has its result."""
    messages = messages_of(row)
    for index, name, again in flow_of(row).strays:
        at: Path = ("messages", index, "tool_call_id")
        if again:
            yield Hit(f"{place(at)} is {quoted(name)}, and that call has its result already: keep one", at)
            continue
        results = {item.get("tool_call_id") for item in messages if role_of(item) == "tool" and _has_id(item)}
        calls = [found for found in ids_in(messages[:index]) if found not in results]
        meant = near(name, calls, cutoff=0.5) or (calls[0] if len(calls) == 1 else None)
        hint = f"did you mean {quoted(meant)}?" if meant else "name the call that it answers"
        yield Hit(f"{place(at)} is {quoted(name)}, and no call before it has that id: {hint}", at)


def _has_id(message: Mapping[str, Any]) -> bool:
    return isinstance(message.get("tool_call_id"), str)


@rule(
    "TOOL009",
    Severity.ERROR,
    needs=NEEDS,
    bad=_ROW.replace('{"role": "tool", "tool_call_id": "call00002", "content": "22"}, ', ""),
    good=_ROW,
    says="messages[1].tool_calls[1] has no result before somebody speaks: add the tool's message, or cut there",
)
def call_without_result(row: Row) -> Iterator[Hit]:
    """A call has no result before the user or the assistant speaks again.

    A chat may end with a call: then the call is what is learnt.
    """
    for index, number in flow_of(row).unanswered:
        at: Path = ("messages", index, "tool_calls", number)
        yield Hit(f"{place(at)} has no result before somebody speaks: add the tool's message, or cut there", at)


def _with_own_ids(row: Row, _hit: Hit) -> Any:
    """Give each call whose id was used before another one, and its result too."""
    messages = messages_of(row)
    fresh = free_ids(ids_in(messages))
    seen: set[str] = set()

    def new_id(old: str) -> str:
        name = next(fresh) if old in seen else old
        seen.add(old)
        return name

    return KEEP if row.decoded.faults else renamed(messages, new_id)


@rule(
    "TOOL010",
    Severity.ERROR,
    fix="unsafe",
    repair=_with_own_ids,
    needs=NEEDS,
    bad=_ROW.replace("call00002", "call00001"),
    good=_ROW,
    says="messages[1].tool_calls[1].id is 'call00001' like that of another call: give each its own",
)
def repeated_id(row: Row) -> Iterator[Hit]:
    """Two calls of a row have the same id, so that nobody knows which one a result answers."""
    seen: set[str] = set()
    for index, message in row.messages:
        calls = message.get("tool_calls")
        for number, call in enumerate(calls if isinstance(calls, list) else []):
            name = call_id(call)
            if name in seen:
                at: Path = ("messages", index, "tool_calls", number, "id")
                message_ = f"{place(at)} is {quoted(name)} like that of another call: give each its own"
                yield Hit(message_, at, mends=("messages",))
            elif name is not None:
                seen.add(name)


def _with_mistral_ids(row: Row, _hit: Hit) -> Any:
    """Give every call whose id Mistral does not take another one, the same for the same."""
    messages = messages_of(row)
    fresh = free_ids(ids_in(messages))
    names: dict[str, str] = {}

    def new_id(old: str) -> str:
        if old not in names:
            names[old] = old if _MISTRAL_ID.fullmatch(old) else next(fresh)
        return names[old]

    return KEEP if row.decoded.faults else renamed(messages, new_id)


@rule(
    "TOOL018",
    Severity.ERROR,
    severities=_ONLY_MISTRAL,
    fix="safe",
    repair=_with_mistral_ids,
    needs=NEEDS,
    example_target="mistral",
    bad=_ROW.replace("call00002", "call_2"),
    good=_ROW,
    says="messages[1].tool_calls[1].id is 'call_2': Mistral takes 9 letters and digits",
)
def id_not_for_mistral(row: Row) -> Iterator[Hit]:
    """The id of a call is not made of 9 letters and digits, as Mistral wants it.

    The fix gives other ids to calls and to their results.
    """
    for index, message in row.messages:
        calls = message.get("tool_calls")
        for number, call in enumerate(calls if isinstance(calls, list) else []):
            name = call_id(call)
            if name is not None and not _MISTRAL_ID.fullmatch(name):
                at: Path = ("messages", index, "tool_calls", number, "id")
                text = f"{place(at)} is {quoted(name)}: Mistral takes 9 letters and digits"
                yield Hit(text, at, mends=("messages",))


RULES = (
    result_without_id,
    result_without_call,
    call_without_result,
    repeated_id,
    id_not_for_mistral,
)
