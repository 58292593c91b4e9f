# ruff: noqa: D401 (the first line of a rule's docstring is its title: it says what is wrong)
"""Rules about the shape of a chat: a list of messages, each an object with a role and content.

Each fault is named once: a row without `messages` has no messages without roles, and a message without a role is
not also a missing user turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tunegate.core.chat import is_blank
from tunegate.core.findings import Severity
from tunegate.core.jsonl import decode
from tunegate.core.location import Path
from tunegate.dataqa.convert import to_chat
from tunegate.dataqa.hit import Hit
from tunegate.dataqa.keys import is_misspelt, stand_in
from tunegate.dataqa.row import Row
from tunegate.dataqa.rule import rule
from tunegate.dataqa.schema import schema_of
from tunegate.dataqa.targets import target_named
from tunegate.dataqa.turns import has_calls, is_sharegpt, messages_of, role_of
from tunegate.dataqa.wording import listed, named, place, quoted

# What OpenAI and Azure take; other targets name no number.
MOST_MESSAGES = 2048

_USER = '{"role": "user", "content": "Hi"}'
_CHAT = '{"messages": [' + _USER + ', {"role": "assistant", "content": "Hello"}]}'
_SCHEMAS = {"prompt-completion": "a prompt with its completion", "sharegpt": "ShareGPT", "alpaca": "Alpaca"}


@rule(
    "CHAT001",
    Severity.ERROR,
    bad=_CHAT.replace("messages", "message"),
    good=_CHAT,
    says="'messages' is missing: rename the key 'message'",
)
def messages_missing(row: Row) -> Iterator[Hit]:
    """The key `messages` is missing.

    A row is `{"messages": [...]}`. Files of preference pairs (`input`, `preferred_output`, `non_preferred_output`)
    have none and need none, but a pair among chats is a fault; rows of other formats are named by CHAT023. Targets
    `hf` and `together` take rows of plain text, `{"text": "..."}`, for further training on it.
    """
    value = row.value
    if not row.is_object or is_misspelt(value, "messages", "row"):
        return
    schema = schema_of(value)
    if schema == "preference":  # rows of files that hold such pairs do not come here
        yield Hit("'messages' is missing: the row is a preference pair, keep it in a file of pairs")
    if schema not in (None, "text") or schema in target_named(row.target).other_rows:
        return
    other = stand_in(value, "messages")
    if other is not None:
        yield Hit(f"'messages' is missing: rename the key {quoted(other)}", (other,))
    else:
        found = f"; the row has {listed(value)}" if value else ""
        yield Hit(f"'messages' is missing: a row is {{\"messages\": [...]}}{found}")


@rule(
    "CHAT002",
    Severity.ERROR,
    bad='{"messages": []}',
    good=_CHAT,
    says="'messages' is empty: write the chat, or take the row out",
)
def no_list_of_messages(row: Row) -> Iterator[Hit]:
    """`messages` is no list, or an empty one.

    A list that was written as a string is a common slip: it was dumped to JSON twice.
    """
    if not row.is_object or "messages" not in row.value:
        return
    messages = row.value["messages"]
    if messages == []:
        yield Hit("'messages' is empty: write the chat, or take the row out", ("messages",))
    elif not isinstance(messages, list):
        kind = "a string" if isinstance(messages, str) else named(messages)
        yield Hit(f"'messages' is {kind}: {_hint_for_messages(messages)}", ("messages",))


def _hint_for_messages(found: Any) -> str:
    if isinstance(found, dict) and "content" in found:
        return "put the message into a list"
    if isinstance(found, str) and isinstance(decode(found.encode("utf-8", "surrogatepass")).value, list):
        return "a list was dumped to JSON twice: write it once"
    return "it must be a list of objects with role and content"


@rule(
    "CHAT003",
    Severity.ERROR,
    bad='{"messages": ["Hi", {"role": "assistant", "content": "Hello"}]}',
    good=_CHAT,
    says='messages[0] is a string: write {"role": ..., "content": ...}',
)
def message_no_object(row: Row) -> Iterator[Hit]:
    """A message is no object.

    Who speaks must be said: a bare text has no role.
    """
    for index, message in enumerate(messages_of(row)):
        if not isinstance(message, dict):
            kind = "a string" if isinstance(message, str) else named(message)
            at: Path = ("messages", index)
            yield Hit(f'{place(at)} is {kind}: write {{"role": ..., "content": ...}}', at)


@rule(
    "CHAT004",
    Severity.ERROR,
    bad=_CHAT.replace('"role": "user", ', ""),
    good=_CHAT,
    says='messages[0] has no role: add "role": "user" or whoever speaks',
)
def role_missing(row: Row) -> Iterator[Hit]:
    """A message has no role.

    Without it nobody knows whether the text is to be learnt or only read.
    """
    for index, message in row.messages:
        if message.get("role") is not None or is_sharegpt(message) or is_misspelt(message, "role", "message"):
            continue
        at: Path = ("messages", index)
        other = stand_in(message, "role")
        if not message:
            yield Hit(f"{place(at)} is empty: write role and content, or take it out", at)
        elif other is not None:
            yield Hit(f"{place(at)} has no role: rename the key {quoted(other)}", (*at, other))
        else:
            yield Hit(f'{place(at)} has no role: add "role": "user" or whoever speaks', at)


@rule(
    "CHAT008",
    Severity.ERROR,
    bad=_CHAT.replace('"Hello"', "null"),
    good=_CHAT,
    says="messages[1].content is null: write the text, or take the row out",
)
def content_missing(row: Row) -> Iterator[Hit]:
    """The content of a message is missing or null, and nothing stands in its place.

    An assistant message may have `tool_calls`, `function_call`, `refusal` or `audio` in place of content; every
    other message needs one. The result of a deprecated function may be null.
    """
    for index, message in row.messages:
        if not message or message.get("content") is not None or _needs_no_content(message):
            continue
        at: Path = ("messages", index)
        other = stand_in(message, "content")
        if other is not None:
            yield Hit(f"{place(at)} has no content: rename the key {quoted(other)}", (*at, other))
        elif "content" in message:
            at = (*at, "content")
            yield Hit(f"{place(at)} is null: write the text, or take the row out", at)
        else:
            yield Hit(f"{place(at)} has no content: write the text, or take the row out", at)


def _needs_no_content(message: Mapping[str, Any]) -> bool:
    if has_calls(message) or is_sharegpt(message) or is_misspelt(message, "content", "message"):
        return True
    role = message.get("role")
    if role == "function":
        return "content" in message
    return role == "assistant" and bool(message.get("refusal") or message.get("audio"))


@rule(
    "CHAT009",
    Severity.ERROR,
    bad=_CHAT.replace('"Hello"', "42"),
    good=_CHAT.replace('"Hello"', '"42"'),
    says="messages[1].content is 42: it must be a string, or a list of parts",
)
def content_type(row: Row) -> Iterator[Hit]:
    """The content is neither a string nor a list of parts.

    A part is an object with a `type`: `{"type": "text", "text": "..."}`, or an image beside it.
    """
    for index, message in row.messages:
        content = message.get("content")
        at: Path = ("messages", index, "content")
        if isinstance(content, list):
            for number, part in enumerate(content):
                reason = _fault_of_part(part)
                if reason is not None:
                    at = (*at, number)
                    yield Hit(f"{place(at)} {reason}", at)
                    break
        elif content is not None and not isinstance(content, str):
            yield Hit(f"{place(at)} is {named(content)}: it must be a string, or a list of parts", at)


def _fault_of_part(part: Any) -> str | None:
    example = '{"type": "text", "text": "..."}'
    if not isinstance(part, dict):
        found = "a string" if isinstance(part, str) else named(part)
        return f"is {found}: a part is an object such as {example}"
    kind = part.get("type")
    if not isinstance(kind, str):
        return f"has no type: a part is an object such as {example}"
    if kind in ("text", "refusal") and not isinstance(part.get(kind), str):
        return f"has no {kind}: write {example.replace('text', kind)}"
    return None


@rule(
    "CHAT010",
    Severity.ERROR,
    bad=_CHAT.replace("Hello", "  \\u200b"),
    good=_CHAT,
    says="messages[1].content is blank: write the text, or take the row out",
)
def content_blank(row: Row) -> Iterator[Hit]:
    """The content is empty, or holds nothing that can be seen.

    White space and zero-width characters show as nothing. The result of a tool may be empty, and so may the text
    beside a call or a refusal. Zero-width characters alone are a warning where nobody learns them: in a question
    they may stand for what people send.
    """
    for index, message in row.messages:
        content = message.get("content")
        role = role_of(message)
        if role in ("tool", "function") or has_calls(message) or message.get("refusal"):
            continue
        if isinstance(content, str):
            blank, hidden = is_blank(content), bool(content.strip())
        else:
            blank, hidden = isinstance(content, list) and all(map(_is_blank_part, content)), False
        if blank:
            at: Path = ("messages", index, "content")
            word = "blank" if content else "empty"
            severity = Severity.WARNING if hidden and role not in (None, "assistant") else None
            yield Hit(f"{place(at)} is {word}: write the text, or take the row out", at, severity=severity)


def _is_blank_part(part: Any) -> bool:
    if not isinstance(part, dict) or part.get("type") != "text":
        return False
    text = part.get("text")
    return isinstance(text, str) and is_blank(text)


@rule(
    "CHAT023",
    Severity.ERROR,
    bad='{"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]}',
    good=_CHAT,
    says="the row is written as ShareGPT: `tunegate prepare` makes a chat of it",
)
def other_format(row: Row) -> Iterator[Hit]:
    """The row is written in another format: ShareGPT, Alpaca, or a prompt with its completion.

    `tunegate prepare` makes chats of such rows; `--fix` leaves them, for it converts no rows. Targets `hf` and
    `together` take prompts with completions as they are: two texts, or two lists of messages.
    """
    if not row.is_object:
        return
    schema = schema_of(row.value)
    if schema == "chat":
        foreign = [index for index, message in row.messages if is_sharegpt(message)]
        if foreign:
            at: Path = ("messages", foreign[0])
            yield Hit(f"{place(at)} is written as ShareGPT: rename 'from' to 'role' and 'value' to 'content'", at)
    elif schema in target_named(row.target).other_rows:
        if schema == "prompt-completion" and to_chat(row.value, schema) is None:
            yield Hit("prompt and completion are neither two texts nor two lists of messages: write both alike")
    elif schema in _SCHEMAS:
        yield Hit(f"the row is written as {_SCHEMAS[schema]}: `tunegate prepare` makes a chat of it")


@rule(
    "CHAT027",
    Severity.ERROR,
    bad='{"messages": [' + ", ".join([_USER, _USER.replace("user", "assistant")] * 1025) + "]}",
    good='{"messages": [' + ", ".join([_USER, _USER.replace("user", "assistant")] * 1024) + "]}",
    says="the chat has 2,050 messages, and 2,048 is the most: split it",
)
def too_many_messages(row: Row) -> Iterator[Hit]:
    """The chat has more than 2,048 messages.

    OpenAI and Azure refuse the file. Other targets name no limit, but a chat of this length is over the context
    of every model.
    """
    most = target_named(row.target).max_messages or MOST_MESSAGES
    count = len(messages_of(row))
    if count > most:
        yield Hit(f"the chat has {count:,} messages, and {most:,} is the most: split it", ("messages", most))


RULES = (
    messages_missing,
    no_list_of_messages,
    message_no_object,
    role_missing,
    content_missing,
    content_type,
    content_blank,
    other_format,
    too_many_messages,
)
