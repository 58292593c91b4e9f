"""Preference rows: the chats inside them, so that every rule about chats reads these too.

Two shapes are read. OpenAI's and Azure's is `{"input": {"messages": [...]}, "preferred_output": [...],
"non_preferred_output": [...]}`. That of TRL is `{"prompt": ..., "chosen": ..., "rejected": ...}`, where each is a
text or a list of messages. Where `prompt` is missing, or a text beside lists, both answers begin with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from tunegate.core.location import Path
from tunegate.core.patterns import lazy_pattern
from tunegate.dataqa.wording import place

if TYPE_CHECKING:
    from tunegate.dataqa.hit import Hit
    from tunegate.dataqa.row import Row

OUTPUTS = ("preferred_output", "non_preferred_output")
ANSWERS = ("chosen", "rejected")

# What belongs to the chat and stands beside the messages.
_FIELDS = ("tools", "parallel_tool_calls", "functions")
_NO_OUTPUT = frozenset({"system", "developer", "user"})

# How messages of findings name a message of the chat; not inside quotes.
_PLACE = lazy_pattern(r"(?<![\w'.\]])messages\[(\d+)\]")


def is_openai(value: Mapping[str, Any]) -> bool:
    """Whether a row is written as OpenAI's and Azure's preference rows, whole or in part."""
    asked = value.get("input")
    return not value.keys().isdisjoint(OUTPUTS) or (isinstance(asked, dict) and "messages" in asked)


@dataclass(frozen=True, slots=True)
class Part:
    """One list of messages in a preference row as a chat: for an answer with what stands before it.

    `at` is where the list stands, `own` how many messages before it are of the list at `before`. `fields_at` is
    where the keys of the chat stand, None where they are told with another part; `whole` says that the chat is the
    very object that stands there. `answers` says that only the assistant and its tools may speak, `rejected` that
    it is the answer that is not preferred.
    """

    chat: Row
    at: Path
    own: int = 0
    before: Path = ()
    fields_at: Path | None = None
    whole: bool = False
    answers: bool = False
    rejected: bool = False

    def outer(self, path: Path) -> Path | None:
        """Return where in the row a place of the chat is; None where it belongs to another part.

        So does a message of the user among answers: that it is there is PREF003's.
        """
        if path[:1] != ("messages",):
            return None if self.fields_at is None else (*self.fields_at, *path)
        if len(path) == 1:
            return self.at
        index = int(path[1])
        if index < self.own or (self.answers and self._role(index) in _NO_OUTPUT):
            return None
        return (*self.at, index - self.own, *path[2:])

    def _role(self, index: int) -> str:
        messages = self.chat.value["messages"]
        message = messages[index] if index < len(messages) else None
        role = message.get("role") if isinstance(message, dict) else None
        return role if isinstance(role, str) else ""

    def mended(self, path: Path | None) -> Path | None:
        """Return where in the row that stands which a repair of the chat gives."""
        if path is None:
            return None
        return self.at if path == () and not self.whole else self.outer(path)

    def told(self, hit: Hit) -> Hit | None:
        """Return a hit in the chat as one in the row; None where it belongs to another part."""
        at = self.outer(hit.at)
        if at is None:
            return None
        message, shown = hit.message, place(hit.at)
        if hit.at[:1] != ("messages",) and shown and message.startswith(shown):
            message = place(at) + message.removeprefix(shown)
        message = _PLACE.sub(self._place, message)
        return replace(hit, message=message, at=at, mends=self.mended(hit.mends), inside=(self, hit))

    def _place(self, found: re.Match[str]) -> str:
        index = int(found[1])
        return place((*self.before, index) if index < self.own else (*self.at, index - self.own))

    def written(self, hit: Hit, new: Any) -> Any:
        """Return what a repair of the chat writes into the row; None where it would change another part too."""
        if hit.mended == () and not self.whole:
            if not isinstance(new, dict) or {**self.chat.value, "messages": new.get("messages")} != new:
                return None
            new = new["messages"]
        elif hit.mended != ("messages",):
            return new
        if not isinstance(new, list):
            return new
        return new[self.own :] if new[: self.own] == self.chat.value["messages"][: self.own] else None


def parts_of(row: Row) -> tuple[Part, ...]:
    """Return the lists of messages of a row, each as a chat; a chat among preference rows is its own only part."""
    value = row.value
    if not isinstance(value, dict):
        return ()
    if "messages" in value:
        return (Part(row, ("messages",), fields_at=(), whole=True),)
    return tuple(_openai_parts(row, value) if is_openai(value) else _trl_parts(row, value))


def _openai_parts(row: Row, value: Mapping[str, Any]) -> Iterator[Part]:
    asked = value.get("input")
    chat = asked if isinstance(asked, dict) else {}
    before = _messages(chat.get("messages"))
    if before:
        yield Part(row.inside(chat), ("input", "messages"), fields_at=("input",), whole=True)
    yield from _answers(row, OUTPUTS, before, ("input", "messages"), chat)


def _trl_parts(row: Row, value: Mapping[str, Any]) -> Iterator[Part]:
    fields = {key: value[key] for key in _FIELDS if key in value}
    before = _messages(value.get("prompt"))
    if before:
        yield Part(row.inside({**fields, "messages": before}), ("prompt",), fields_at=())
        yield from _answers(row, ANSWERS, before, ("prompt",), fields)
        return
    for key in ANSWERS:
        if own := _messages(value.get(key)):
            chat = row.inside({**fields, "messages": own})
            is_first = key == ANSWERS[0]
            yield Part(chat, (key,), fields_at=() if is_first else None, rejected=not is_first)


def _answers(
    row: Row, keys: tuple[str, str], before: list[Any], before_at: Path, fields: Mapping[str, Any]
) -> Iterator[Part]:
    last = before[-1] if before else None
    if isinstance(last, dict) and last.get("role") == "assistant" and not last.get("tool_calls"):
        before = []  # an answer that answers an answer: PREF002
    for key in keys:
        if own := _messages(row.value.get(key)):
            chat = row.inside({**fields, "messages": [*before, *own]})
            yield Part(chat, (key,), len(before), before_at, answers=True, rejected=key == keys[1])


def _messages(found: Any) -> list[Any]:
    return found if isinstance(found, list) else []


@dataclass(frozen=True, slots=True)
class Pair:
    """A sound preference row as two chats; `own` is the number of messages that both begin with."""

    preferred: Row
    rejected: Row
    own: int
    at: Path
    fields_at: Path

    @property
    def longer(self) -> Row:
        """The chat with more text, which says whether the pair is too long."""
        return max((self.preferred, self.rejected), key=lambda chat: len(repr(chat.value["messages"][self.own :])))

    def answers(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Return the messages of the preferred answer, and those of the other one."""
        return self.preferred.value["messages"][self.own :], self.rejected.value["messages"][self.own :]


def pair_of(row: Row) -> Pair | None:
    """Return a preference row as two chats; None where it is none, or where it has no sound messages."""
    value = row.value
    if not isinstance(value, dict) or "messages" in value:
        return None
    if is_openai(value):
        asked = value.get("input")
        fields = asked if isinstance(asked, dict) else {}
        lists = [fields.get("messages"), *(value.get(key) for key in OUTPUTS)]
        return _pair(row, lists, fields, ("input", "messages"), ("input",))
    fields = {key: value[key] for key in _FIELDS if key in value}
    lists = [value.get("prompt"), *(value.get(key) for key in ANSWERS)]
    at: Path = ("prompt",)
    if lists[0] is None or (isinstance(lists[0], str) and isinstance(lists[1], list)):
        at, lists = ("chosen",), _without_prompt(lists[1], lists[2])
    roles = ("user", "assistant", "assistant")
    lists = [
        [{"role": role, "content": item}] if isinstance(item, str) else item
        for role, item in zip(roles, lists, strict=True)
    ]
    return _pair(row, lists, fields, at, ())


def _without_prompt(chosen: Any, rejected: Any) -> list[Any]:
    """Return what two answers begin with, and each without it; the last message or sign is never of the prompt."""
    if type(chosen) is not type(rejected) or not isinstance(chosen, (str, list)):
        return [None, None, None]
    pairs = zip(chosen[:-1], rejected[:-1], strict=False)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return [chosen[:same] or None, chosen[same:], rejected[same:]]


def _pair(row: Row, lists: list[Any], fields: Mapping[str, Any], at: Path, fields_at: Path) -> Pair | None:
    if not all(isinstance(item, list) and item and all(map(_is_message, item)) for item in lists):
        return None
    before, preferred, rejected = lists
    chats = [row.inside({**fields, "messages": [*before, *answer]}) for answer in (preferred, rejected)]
    return Pair(chats[0], chats[1], len(before), at, fields_at)


def _is_message(item: Any) -> bool:
    return isinstance(item, dict) and isinstance(item.get("role"), str)
