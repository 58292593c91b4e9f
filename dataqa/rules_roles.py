# ruff: noqa: D401 (the first line of a rule's docstring is its title: it says what is wrong)
"""Rules about roles and their order.

Order is judged only where it is known: a message without a role, or with one that nobody knows, may be the user
turn or the answer that seems to be missing. CHAT004 and CHAT005 name it, and the rest can wait.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tunegate.core.findings import Severity
from tunegate.core.location import Path
from tunegate.dataqa.hit import KEEP, Hit
from tunegate.dataqa.row import Row
from tunegate.dataqa.rule import rule
from tunegate.dataqa.targets import target_named
from tunegate.dataqa.turns import SYSTEM_ROLES, has_calls, messages_of, role_of, roles_of
from tunegate.dataqa.wording import listed, named, near, place

_SYSTEM = '{"role": "system", "content": "Be brief."}'
_USER = '{"role": "user", "content": "Hi"}'
_ANSWER = '{"role": "assistant", "content": "Hello"}'

_ALIASES = {
    "human": "user",
    "prompter": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "chatbot": "assistant",
    "model": "assistant",
    "ai": "assistant",
    "developer": "system",
    "instruction": "system",
}

_ONLY_SFT: Mapping[str, Severity | None] = {"dpo": None, "rft": None}
_ONLY_RFT: Mapping[str, Severity | None] = {"sft": None, "dpo": None}


def _chat(*messages: str) -> str:
    return '{"messages": [' + ", ".join(messages) + "]}"


def _meant(role: Any, target: str) -> str | None:
    """Return the role that another name or a slip most likely stands for."""
    if not isinstance(role, str):
        return None
    known = target_named(target).roles
    bare = role.strip().casefold()
    meant = _ALIASES.get(bare) or near(bare, sorted(known - {"function"}))
    return meant if meant in known and meant != role else None


@rule(
    "CHAT005",
    Severity.ERROR,
    fix="unsafe",
    repair=lambda row, hit: _meant(row.value["messages"][hit.at[1]]["role"], row.target) or KEEP,
    bad=_chat(_USER, _ANSWER.replace("assistant", "asistant")),
    good=_chat(_USER, _ANSWER),
    says="messages[1].role is 'asistant': did you mean 'assistant'?",
)
def unknown_role(row: Row) -> Iterator[Hit]:
    """The role of a message is none that the target knows.

    Known are system, user, assistant and tool, and with OpenAI, Azure OpenAI and `hf` developer too. The role
    function is deprecated: TOOL013 speaks of it. The fix writes the role that a slip or another name (human, gpt)
    most likely stands for.
    """
    known = target_named(row.target).roles
    for index, message in row.messages:
        role = message.get("role")
        if role is None or role == "function" or (isinstance(role, str) and role in known):
            continue
        at: Path = ("messages", index, "role")
        meant = _meant(role, row.target)
        hint = f"did you mean {meant!r}?" if meant else f"{row.target} knows {listed(sorted(known))}"
        yield Hit(f"{place(at)} is {named(role)}: {hint}", at)


@rule(
    "CHAT011",
    Severity.ERROR,
    severities=_ONLY_SFT,
    bad=_chat(_SYSTEM, _USER),
    good=_chat(_SYSTEM, _USER, _ANSWER),
    says="no message is the assistant's: add the answer to be learnt, or take the row out",
)
def no_answer(row: Row) -> Iterator[Hit]:
    """No message is the assistant's, so that there is nothing to learn.

    Reinforcement data has none and needs none: there the chat ends with the user.
    """
    roles = roles_of(row)
    if roles and "assistant" not in roles:
        yield Hit("no message is the assistant's: add the answer to be learnt, or take the row out", ("messages",))


def _without_tail(row: Row, _hit: Hit) -> Any:
    """Cut the messages after the last answer, where a question before it is left; instructions stay."""
    messages = messages_of(row)
    answers = [index for index, message in enumerate(messages) if role_of(message) == "assistant"]
    if not answers or row.decoded.faults:
        return KEEP
    kept, tail = messages[: answers[-1] + 1], messages[answers[-1] + 1 :]
    instructions = [message for message in tail if role_of(message) in SYSTEM_ROLES]
    if len(instructions) == len(tail) or not any(role_of(message) == "user" for message in kept):
        return KEEP
    return kept + instructions


@rule(
    "CHAT012",
    Severity.ERROR,
    severities=_ONLY_SFT,
    fix="unsafe",
    repair=_without_tail,
    bad=_chat(_USER, _ANSWER, _USER),
    good=_chat(_USER, _ANSWER),
    says="the last message is the user's: add the answer, or cut it off",
)
def ends_without_answer(row: Row) -> Iterator[Hit]:
    """The last message is not the assistant's.

    What comes after the last answer is read for nothing, and some services refuse the row. The fix cuts it off,
    but for system and developer messages: CHAT015 moves them to the front. An assistant message that calls a tool
    is an answer too.
    """
    messages = messages_of(row)
    role = role_of(messages[-1]) if messages else None
    if role is None or role == "assistant" or not any(role_of(message) == "assistant" for message in messages):
        return
    at: Path = ("messages", len(messages) - 1)
    advice = "move it to the front" if role in SYSTEM_ROLES else "add the answer, or cut it off"
    yield Hit(f"the last message is the {role}'s: {advice}", at, mends=("messages",))


@rule(
    "CHAT013",
    Severity.ERROR,
    severities=_ONLY_RFT,
    example_kind="rft",
    bad=_chat(_USER, _ANSWER)[:-1] + ', "reference": "Hello"}',
    good=_chat(_USER)[:-1] + ', "reference": "Hello"}',
    says="the last message is the assistant's: reinforcement data ends with the user, move the answer to a field",
)
def ends_with_answer(row: Row) -> Iterator[Hit]:
    """The last message of a row for reinforcement is not the user's.

    The model writes the answer itself, and a grader compares it with another field of the row.
    """
    messages = messages_of(row)
    role = role_of(messages[-1]) if messages else None
    if role is not None and role != "user":
        advice = "move the answer to a field" if role == "assistant" else "add the question"
        message = f"the last message is the {role}'s: reinforcement data ends with the user, {advice}"
        yield Hit(message, ("messages", len(messages) - 1))


@rule(
    "CHAT014",
    Severity.ERROR,
    severities=_ONLY_SFT,
    bad=_chat(_SYSTEM, _ANSWER),
    good=_chat(_SYSTEM, _USER, _ANSWER),
    says="no message is the user's: add what the assistant answers, or take the row out",
)
def no_question(row: Row) -> Iterator[Hit]:
    """No message is the user's, so that the answer answers nothing."""
    roles = roles_of(row)
    if roles and "user" not in roles:
        yield Hit("no message is the user's: add what the assistant answers, or take the row out", ("messages",))


def _system_first(row: Row, _hit: Hit) -> Any:
    """Move the system messages to the front, and make one of them where they are of one kind."""
    messages = messages_of(row)
    system = [message for message in messages if role_of(message) in SYSTEM_ROLES]
    first = system[0]
    plain = all(
        message.keys() == {"role", "content"}
        and isinstance(message["content"], str)
        and message["role"] == first["role"]
        for message in system
    )
    if not plain or row.decoded.faults:
        return KEEP
    texts = dict.fromkeys(message["content"] for message in system)  # a copy is dropped
    merged = {**first, "content": "\n\n".join(texts)}
    return [merged, *(message for message in messages if role_of(message) not in SYSTEM_ROLES)]


@rule(
    "CHAT015",
    Severity.WARNING,
    fix="unsafe",
    repair=_system_first,
    bad=_chat(_USER, _SYSTEM, _ANSWER),
    good=_chat(_SYSTEM, _USER, _ANSWER),
    says="messages[1] is the system's: it belongs first",
)
def system_not_first(row: Row) -> Iterator[Hit]:
    """A system or developer message is not the first, is the second one, or both kinds are used.

    Chat templates take one, at the start; many fail on another place or drop the text. The fix moves them there,
    and joins those of one kind.
    """
    seen: list[str] = []
    for index, message in row.messages:
        role = role_of(message)
        if role not in SYSTEM_ROLES:
            continue
        assert role is not None
        if index:
            at: Path = ("messages", index)
            if not seen:
                advice = "it belongs first"
            elif role in seen:
                advice = f"there is another {role} message, join them"
            else:
                advice = f"there is a {seen[0]} message too, use one of the two kinds"
            yield Hit(f"{place(at)} is the {role}'s: {advice}", at, mends=("messages",))
        seen.append(role)


def _repeats(row: Row) -> Iterator[int]:
    """Give the index of each message that has the role of the one before it, where that is a fault."""
    for (before, earlier), (index, message) in zip(row.messages, row.messages[1:], strict=False):
        role = role_of(message)
        if index != before + 1 or role not in ("user", "assistant") or role != earlier.get("role"):
            continue
        if role == "user" and target_named(row.target).users_in_a_row:
            continue
        if not has_calls(earlier):  # else TOOL009: a call without its result
            yield index


def _merged(row: Row, _hit: Hit) -> Any:
    """Join the messages of one role that stand in a row, where both are plain text."""
    repeats = set(_repeats(row))
    made: list[Any] = []
    for index, message in enumerate(messages_of(row)):
        if index not in repeats:
            made.append(message)
            continue
        joined = _joined(made[-1], message)
        if joined is None or row.decoded.faults:
            return KEEP
        made[-1] = joined
    return made


def _joined(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any] | None:
    texts = [first.get("content"), second.get("content")]
    others = {key: value for key, value in second.items() if key != "content"}
    if any(first.get(key, value) != value for key, value in others.items()) or not isinstance(texts[0], str):
        return None
    if texts[1] is None and has_calls(second):
        return {**first, **others}
    if not isinstance(texts[1], str) or first.keys() != second.keys():
        return None
    return {**first, "content": texts[0] if texts[0] == texts[1] else "\n\n".join(map(str, texts))}


@rule(
    "CHAT016",
    Severity.WARNING,
    severities={"together": Severity.ERROR},
    fix="unsafe",
    repair=_merged,
    bad=_chat(_USER, _ANSWER, _ANSWER.replace("Hello", "Who is there?")),
    good=_chat(_USER, _ANSWER.replace("Hello", "Hello\\n\\nWho is there?")),
    says="messages[2] is the assistant's like the one before: join them",
)
def same_role_twice(row: Row) -> Iterator[Hit]:
    """Two messages in a row are the user's, or the assistant's.

    Many chat templates fail where the two do not alternate, and target `together` refuses the file. Azure's
    documents show two user messages in a row, so they are nothing to speak of there.
    """
    texts = dict(row.messages)
    for index in _repeats(row):
        at: Path = ("messages", index)
        same = texts[index].get("content") == texts[index - 1].get("content")
        advice = "it is a copy, drop it" if same else "join them"
        message = f"{place(at)} is the {texts[index]['role']}'s like the one before: {advice}"
        yield Hit(message, at, mends=("messages",))


@rule(
    "CHAT017",
    Severity.WARNING,
    severities={"together": Severity.ERROR, "dpo": None},
    bad=_chat(_ANSWER, _USER, _ANSWER),
    good=_chat(_USER, _ANSWER),
    says="messages[0] is the assistant's: a chat begins with the user, cut it off or add the question",
)
def begins_with_answer(row: Row) -> Iterator[Hit]:
    """The chat begins with the assistant.

    A greeting before the first question is learnt as an answer to nothing, and many chat templates fail on it. In
    a preference pair it is not learnt, and Together's documents show one there.
    """
    roles = roles_of(row)
    if not roles or "user" not in roles:
        return  # CHAT014
    first = next((index for index, role in enumerate(roles) if role not in SYSTEM_ROLES), None)
    if first is not None and roles[first] == "assistant":
        at: Path = ("messages", first)
        yield Hit(
            f"{place(at)} is the assistant's: a chat begins with the user, cut it off or add the question", at
        )


RULES = (
    unknown_role,
    no_answer,
    ends_without_answer,
    ends_with_answer,
    no_question,
    system_not_first,
    same_role_twice,
    begins_with_answer,
)
