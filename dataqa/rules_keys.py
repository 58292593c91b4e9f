# ruff: noqa: D401 (the first line of a rule's docstring is its title: it says what is wrong)
"""Rules about the keys of rows and messages: unknown ones, misspelt ones, and names of speakers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tunegate.core.findings import Severity
from tunegate.core.location import Path
from tunegate.core.patterns import lazy_pattern
from tunegate.dataqa.hit import KEEP, REMOVE, Hit
from tunegate.dataqa.keys import is_misspelt, misspelt, stand_in
from tunegate.dataqa.row import Row
from tunegate.dataqa.rule import rule
from tunegate.dataqa.targets import ROW_KEYS, target_named
from tunegate.dataqa.turns import has_calls, is_sharegpt, messages_of
from tunegate.dataqa.wording import named, near, place, quoted

_CHAT = '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}'
_NAMED = _CHAT.replace('"user", ', '"user", "name": "wang", ')

_ROW_TYPES: Mapping[str, type] = {"tools": list, "functions": list, "parallel_tool_calls": bool}
_NAME = lazy_pattern(r"[^\s<|\\/>]{1,64}")
_NOT_IN_NAMES = lazy_pattern(r"[\s<|\\/>]")


def _meant_for_row(fields: Mapping[str, Any], key: str) -> str | None:
    """Return the known key of a row that another is most likely a slip of."""
    wanted = [name for name, kind in _ROW_TYPES.items() if name not in fields and isinstance(fields[key], kind)]
    return near(key, wanted)


def _meant_for_message(fields: Mapping[str, Any], key: str) -> str | None:
    """Return the known key of a message that another is most likely a slip of."""
    return near(key, [name for name in ("role", "content", "name", "weight", "tool_calls") if name not in fields])


def _without_unknown(row: Row, hit: Hit) -> Any:
    """Take the key out, unless it is likely a slip: then only a person knows."""
    fields, key = row.value, str(hit.at[-1])
    if len(hit.at) == 1:
        return KEEP if _meant_for_row(fields, key) else REMOVE
    fields = fields["messages"][hit.at[1]]
    return KEEP if _meant_for_message(fields, key) else REMOVE


@rule(
    "CHAT006",
    Severity.WARNING,
    severities={"together": Severity.ERROR},
    fix="safe",
    repair=_without_unknown,
    example_target="azure-openai",
    bad=_CHAT.replace("]}", '], "source": "forum"}'),
    good=_CHAT,
    says="the key 'source' is unknown to azure-openai: take it out",
)
def unknown_row_key(row: Row) -> Iterator[Hit]:
    """The row has a key that the target does not know.

    Target `together` refuses the file, the services of Azure, OpenAI and Mistral leave the key unread. Trainers of
    target `hf` take rows with further columns, and reinforcement data has some for its grader: there only likely
    slips of a known key are named, which the fix leaves to you.
    """
    if not row.is_object or "messages" not in row.value:
        return
    known = target_named(row.target).row_keys
    if known is not None and row.kind == "dpo":
        known |= ROW_KEYS  # what OpenAI's documents show in a pair
    slips = [key for key, _ in misspelt(row.value, "row")]
    for key in row.value:
        if key in (known or ROW_KEYS) or key in slips:
            continue
        meant = _meant_for_row(row.value, key)
        if meant is not None:
            yield Hit(f"the key {quoted(key)} is unknown: did you mean {meant!r}?", (key,))
        elif known is not None and row.kind != "rft":
            yield Hit(f"the key {quoted(key)} is unknown to {row.target}: take it out", (key,))


@rule(
    "CHAT007",
    Severity.WARNING,
    fix="safe",
    repair=_without_unknown,
    bad=_CHAT.replace('"Hello"', '"Hello", "mood": "happy"'),
    good=_CHAT,
    says="messages[1] has the unknown key 'mood': take it out",
)
def unknown_message_key(row: Row) -> Iterator[Hit]:
    """A message has a key that the target does not know.

    Services refuse it or leave it unread; chat templates leave it unread. A likely slip of a known key is named,
    and the fix leaves it to you.
    """
    known = target_named(row.target).message_keys
    for index, message in row.messages:
        if message.keys() <= known or is_sharegpt(message):
            continue
        explained = {key for key, _ in misspelt(message, "message")}  # by CHAT024
        if message.get("role") is None:
            explained.add(stand_in(message, "role") or "")  # by CHAT004
        if message.get("content") is None and not has_calls(message):
            explained.add(stand_in(message, "content") or "")  # by CHAT008
        for key in message:
            if key not in known and key not in explained:
                at: Path = ("messages", index, key)
                meant = _meant_for_message(message, key)
                hint = f"did you mean {meant!r}?" if meant else "take it out"
                yield Hit(f"{place(at[:-1])} has the unknown key {quoted(key)}: {hint}", at)


def _renamed(row: Row, hit: Hit) -> Any:
    """Give the object with its misspelt keys as the known ones, or KEEP where a known one stands there already."""
    fields = row.value if hit.mends == () else row.value["messages"][hit.at[1]]
    names = dict(misspelt(fields, "row" if hit.mends == () else "message"))
    made = {names.get(key, key): value for key, value in fields.items()}
    return KEEP if len(made) < len(fields) or row.decoded.faults else made


@rule(
    "CHAT024",
    Severity.WARNING,
    fix="safe",
    repair=_renamed,
    bad=_CHAT.replace('"role": "user"', '"Role ": "user"'),
    good=_CHAT,
    says="messages[0] has the key 'Role ' in place of 'role': rename it",
)
def misspelt_key(row: Row) -> Iterator[Hit]:
    """A key differs from a known one in case, spaces or marks only.

    Keys are compared to the letter: readers do not find it. Where the known key is missing that is an error, for
    nothing stands in its place.
    """
    if not row.is_object:
        return
    if "messages" in row.value or is_misspelt(row.value, "messages", "row"):
        yield from _misspelt_in(row.value, "row", ())
    for index, message in row.messages:
        yield from _misspelt_in(message, "message", ("messages", index))


def _misspelt_in(fields: Mapping[str, Any], of: str, at: Path) -> Iterator[Hit]:
    for key, known in misspelt(fields, of):
        if known in fields:
            message, severity = f"the key {quoted(key)} beside {known!r}: keep one of them", None
        else:
            message = f"the key {quoted(key)} in place of {known!r}: rename it"
            severity = Severity.ERROR if known in ("messages", "role", "content") else None
        yield Hit(f"{place(at) or 'the row'} has {message}", (*at, key), severity=severity, mends=at)


@rule(
    "CHAT022",
    Severity.ERROR,
    needs=(b'"name"', b"\\u00"),
    bad=_NAMED.replace("wang", "Dr. Wang!"),
    good=_NAMED,
    says="messages[0].name holds ' ', which no name may: write '_' in its place",
)
def bad_name(row: Row) -> Iterator[Hit]:
    r"""The `name` of a speaker is none that services take.

    A name is a string of 1 to 64 characters without white space and without `<`, `|`, `\`, `/` and `>`.
    """
    for index, message in enumerate(messages_of(row)):
        if not isinstance(message, dict) or "name" not in message:
            continue
        name = message["name"]
        at: Path = ("messages", index, "name")
        if name is None and target_named(row.target).templates:
            continue  # tables are filled up with null
        if not isinstance(name, str):
            yield Hit(f"{place(at)} is {named(name)}: a name is a string", at)
        elif sign := _NOT_IN_NAMES.search(name):
            yield Hit(f"{place(at)} holds {sign[0]!r}, which no name may: write '_' in its place", at)
        elif not _NAME.fullmatch(name):
            count = f"{len(name)} characters" if name else "no character"
            yield Hit(f"{place(at)} has {count}: a name has 1 to 64", at)


RULES = (unknown_row_key, unknown_message_key, misspelt_key, bad_name)
