"""The tools and calls of a row as rules see them, and new ids for calls with their results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson

from tunegate.core.jsonl import decode
from tunegate.core.location import Path
from tunegate.dataqa.row import Row
from tunegate.dataqa.targets import target_named
from tunegate.dataqa.turns import messages_of, role_of

# A line without this has neither tools nor calls; a key may be written with escapes.
NEEDS = (b"tool", b"function", b"\\u00")


@dataclass(frozen=True, slots=True)
class Function:
    """A declared tool: where it stands, and its definition with name and parameters."""

    at: Path
    fields: Mapping[str, Any]

    @property
    def name(self) -> str | None:
        """The name; None where it is missing or no string."""
        name = self.fields.get("name")
        return name if isinstance(name, str) else None


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tool: where it stands, the message it stands in, its id, and name and arguments within."""

    at: Path
    message: int
    id: str | None
    function_at: Path
    fields: Mapping[str, Any]

    @property
    def name(self) -> str | None:
        """The name of the tool; None where it is missing or no string."""
        name = self.fields.get("name")
        return name if isinstance(name, str) else None


def tools_of(row: Row) -> list[Any]:
    """Return what `tools` lists; with target `hf` also where it is a list dumped to a string."""
    found = row.value.get("tools") if row.is_object else None
    if isinstance(found, str) and target_named(row.target).templates:
        found = decode(found.encode("utf-8", "surrogatepass")).value
    return found if isinstance(found, list) else []


def functions_of(row: Row) -> Iterator[Function]:
    """Give the functions that a row declares, in `tools` and in the deprecated `functions`."""
    inside = row.is_object and isinstance(row.value.get("tools"), list)
    for index, tool in enumerate(tools_of(row)):
        at: Path = ("tools", index) if inside else ("tools",)
        if not isinstance(tool, dict):
            continue
        if isinstance(tool.get("function"), dict):
            yield Function((*at, "function") if inside else at, tool["function"])
        elif target_named(row.target).templates and "name" in tool and "function" not in tool:
            yield Function(at, tool)
    old = row.value.get("functions") if row.is_object else None
    for index, function in enumerate(old if isinstance(old, list) else []):
        if isinstance(function, dict):
            yield Function(("functions", index), function)


def calls_of(row: Row) -> Iterator[Call]:
    """Give the calls of a row, in `tool_calls` and in the deprecated `function_call`."""
    for index, message in row.messages:
        calls = message.get("tool_calls")
        for number, call in enumerate(calls if isinstance(calls, list) else []):
            if isinstance(call, dict):
                at: Path = ("messages", index, "tool_calls", number)
                function = call.get("function")
                fields = function if isinstance(function, dict) else {}
                yield Call(at, index, call_id(call), (*at, "function"), fields)
        old = message.get("function_call")
        if isinstance(old, dict):
            at = ("messages", index, "function_call")
            yield Call(at, index, None, at, old)


def call_id(call: Any) -> str | None:
    """Return the id of a call; None where it is missing, empty or no string."""
    found = call.get("id") if isinstance(call, dict) else None
    return found if isinstance(found, str) and found else None


def arguments_of(call: Call) -> dict[str, Any] | None:
    """Return the arguments of a call; None where they are no object, or a string that holds none."""
    found = call.fields.get("arguments")
    if isinstance(found, str):
        found = decode(found.encode("utf-8", "surrogatepass")).value
    return found if isinstance(found, dict) else None


def definitions_of(row: Row) -> tuple[tuple[str, str], ...]:
    """Return the name of each declared tool with a digest of its definition, for the rules over the set."""
    if not (row.is_object and (row.value.get("tools") or row.value.get("functions"))):
        return ()
    found = []
    for function in functions_of(row):
        if function.name is not None:
            try:
                raw = orjson.dumps(function.fields, option=orjson.OPT_SORT_KEYS)
            except orjson.JSONEncodeError:  # nested too deeply, or half of a surrogate pair
                continue
            found.append((function.name, blake2b(raw, digest_size=8).hexdigest()))
    return tuple(found)


def free_ids(taken: Sequence[Any]) -> Iterator[str]:
    """Give ids that are not taken, each 9 letters and digits as Mistral wants them: call00001, call00002 ..."""
    used = {item for item in taken if isinstance(item, str)}
    number = 0
    while True:
        number += 1
        made = f"call{number:05d}"
        if made not in used:
            yield made


def ids_in(messages: Sequence[Any]) -> list[str]:
    """Return every id of calls and results."""
    found = []
    for message in messages:
        if isinstance(message, dict):
            calls = message.get("tool_calls")
            found += [name for call in (calls if isinstance(calls, list) else []) if (name := call_id(call))]
            if isinstance(message.get("tool_call_id"), str):
                found.append(message["tool_call_id"])
    return found


def renamed(messages: Sequence[Any], new_id: Callable[[str], str]) -> list[Any]:
    """Return the messages with other ids: `new_id` is asked for each call in turn, and results follow their call.

    A result belongs to the last call of its id; where several of one message share the id, to the next of them.
    """
    made: list[Any] = []
    known: dict[str, list[str]] = {}
    for message in messages:
        if isinstance(message, dict) and isinstance(message.get("tool_calls"), list):
            calls, fresh = [], dict[str, list[str]]()
            for call in message["tool_calls"]:
                old = call_id(call)
                if old is None:
                    calls.append(call)
                else:
                    fresh.setdefault(old, []).append(new_id(old))
                    calls.append({**call, "id": fresh[old][-1]})
            known.update(fresh)
            made.append({**message, "tool_calls": calls})
        elif role_of(message) == "tool" and (waiting := known.get(_result_id(message))):
            made.append({**message, "tool_call_id": waiting.pop(0) if len(waiting) > 1 else waiting[0]})
        else:
            made.append(message)
    return made


def _result_id(message: Mapping[str, Any]) -> str:
    found = message.get("tool_call_id")
    return found if isinstance(found, str) else ""


@dataclass(frozen=True, slots=True)
class Flow:
    """How calls and results of a row fit together, each fault once.

    `nameless` are results without an id, `strays` results with an id that no open call has (and whether the call
    was answered before), `unanswered` calls after which somebody speaks before the result came.
    """

    nameless: tuple[int, ...]
    strays: tuple[tuple[int, str, bool], ...]
    unanswered: tuple[tuple[int, int], ...]


def flow_of(row: Row) -> Flow:
    """Follow the calls of a row and their results, message by message.

    What is faulty by itself is given the benefit of the doubt: a result that fits no call may be meant for one
    that waits, a call without an id may be meant by any result, and a message without a role may be a result.
    """
    walk = _Walk(ids_needed=not target_named(row.target).templates)
    for index, message in enumerate(messages_of(row)):
        role = role_of(message)
        if isinstance(message, dict) and message.get("tool_calls") is not None:
            walk.speak()
            walk.call(index, message["tool_calls"])
            walk.unsure = walk.unsure or role not in (None, "assistant")
        elif role == "tool":
            walk.answer(index, message.get("tool_call_id"))
        elif role in (None, "function"):
            walk.unsure = True
        else:
            walk.speak()
    return Flow(tuple(walk.nameless), tuple(walk.strays), tuple(walk.unanswered))


class _Walk:
    """The calls that wait for a result while a row is followed.

    Where ids are not needed (templates of Hugging Face go by the order), a result without one answers a call
    without one.
    """

    def __init__(self, ids_needed: bool) -> None:
        self._ids_needed = ids_needed
        self.nameless: list[int] = []
        self.strays: list[tuple[int, str, bool]] = []
        self.unanswered: list[tuple[int, int]] = []
        self.unsure = False
        self._waiting: list[tuple[str | None, int, int]] = []
        self._late: set[str] = set()
        self._answered: set[str] = set()
        self._unmatched = 0

    def call(self, index: int, calls: Any) -> None:
        """Note the calls of a message."""
        self.unsure = not isinstance(calls, list)
        for number, call in enumerate(calls if isinstance(calls, list) else []):
            self._waiting.append((call_id(call), index, number))

    def answer(self, index: int, found: Any) -> None:
        """Note a result: take its call off the waiting ones, or note what is wrong."""
        waiting = [item[0] for item in self._waiting]
        if not isinstance(found, str) or not found:
            if None in waiting:
                del self._waiting[waiting.index(None)]
            else:
                self._unmatched += 1
            if self._ids_needed or None not in waiting:
                self.nameless.append(index)
        elif found in waiting:
            del self._waiting[waiting.index(found)]
            self._answered.add(found)
        elif found in self._late:
            self._late.discard(found)
            self._answered.add(found)
        elif None in waiting:
            del self._waiting[waiting.index(None)]
        elif not self.unsure:
            self.strays.append((index, found, found in self._answered))
            self._unmatched += 1

    def speak(self) -> None:
        """Note that somebody speaks: what waits now was never answered."""
        left = self._waiting[self._unmatched :]
        if not self.unsure:
            self.unanswered += [(index, number) for _, index, number in left]
        self._late |= {name for name, _, _ in self._waiting if name is not None}
        self._waiting, self._unmatched, self.unsure = [], 0, False
