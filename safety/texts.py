"""The texts of a chat that are screened, each with its message and its side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tunegate.core.chat import Chat, Message, is_blank

Side = Literal["prompt", "completion"]

# Whose words a message holds: what comes to the model is prompt, what the model gives is completion.
SIDES: Mapping[str, Side] = {
    "system": "prompt",
    "developer": "prompt",
    "user": "prompt",
    "tool": "prompt",
    "function": "prompt",
    "assistant": "completion",
}

# The keys of content parts that hold text; other parts (images, sound) are none.
_TEXT_PARTS = {"text": "text", "input_text": "text", "output_text": "text", "refusal": "refusal"}


@dataclass(frozen=True, slots=True)
class Piece:
    """The text of one message: everything in it that a reader or a model takes in, joined by newlines."""

    message: int
    side: Side
    text: str


def pieces(row: Any) -> list[Piece]:
    """Return the texts of a chat, of messages that hold any.

    Raises ValueError, with a reason that quotes no text, when a part of it cannot be judged as text, or when an
    answer has neither text nor call: then the chat as a whole could not be judged.
    """
    if not isinstance(row, Mapping):
        raise ValueError("the line is no JSON object")
    found = []
    for number, message in enumerate(Chat.from_row(row).messages):
        if message.role not in SIDES:
            raise ValueError(f"messages[{number}] has a role that is neither prompt nor completion")
        place = f"messages[{number}]"
        text = "\n".join(string for string in _strings(message, place) if not is_blank(string))
        if not text and message.role == "assistant" and not _calls(message):
            raise ValueError(f"{place} is an empty answer: there is no text to judge")
        if text:
            found.append(Piece(number, SIDES[message.role], text))
    if not found:
        raise ValueError("no message holds any text")
    return found


def _strings(message: Message, place: str) -> Iterator[str]:
    """Give every string of a message: content, refusal, and the arguments of the calls."""
    yield from _content(message.content, place)
    if isinstance(refusal := message.fields.get("refusal"), str):
        yield refusal
    for call in _calls(message):
        yield from _arguments(call.get("function", call))


def _calls(message: Message) -> list[Mapping[str, Any]]:
    """Return the calls of a message, in either form."""
    named = [message.fields.get("function_call"), *_list(message.fields.get("tool_calls"))]
    return [call for call in named if isinstance(call, Mapping)]


def _content(content: Any, place: str) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif content is not None:
        for number, part in enumerate(_list(content, content)):
            key = _TEXT_PARTS.get(str(part.get("type", "text")), "") if isinstance(part, Mapping) else ""
            text = part.get(key) if key else part
            if not isinstance(text, str):
                raise ValueError(f"{place}.content[{number}] is no text")
            yield text


def _arguments(function: Any) -> Iterator[str]:
    """Give the strings in the arguments of a call, without the escapes that hide them in JSON."""
    arguments = function.get("arguments") if isinstance(function, Mapping) else None
    if isinstance(arguments, str):
        import orjson

        try:
            yield from _leaves(orjson.loads(arguments))
        except orjson.JSONDecodeError:
            yield arguments
    else:
        yield from _leaves(arguments)


def _leaves(value: Any) -> Iterator[str]:
    """Give the strings in a JSON value; without recursion, as a call may be nested beyond its limit."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, Mapping):
            waiting += reversed(list(item.values()))
        elif isinstance(item, list):
            waiting += reversed(item)


def _list(value: Any, *otherwise: Any) -> list[Any]:
    return value if isinstance(value, list) else list(otherwise)
