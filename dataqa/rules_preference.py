# ruff: noqa: D401 (the first line of a rule's docstring is its title: it says what is wrong)
"""Rules about preference pairs: a prompt with the answer that is preferred, and the one that is not.

Services take `input`, `preferred_output` and `non_preferred_output`; trainers of target `hf` take `prompt`,
`chosen` and `rejected` too. What is wrong with a message inside is told by the rules about chats.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tunegate.core.findings import Severity
from tunegate.core.location import Path
from tunegate.dataqa.corpus import texts_of
from tunegate.dataqa.entry import Entry
from tunegate.dataqa.hit import REMOVE, Hit, known_by
from tunegate.dataqa.normal import folded
from tunegate.dataqa.pairs import ANSWERS, OUTPUTS, is_openai, pair_of
from tunegate.dataqa.row import Row
from tunegate.dataqa.rule import rule
from tunegate.dataqa.rules_duplicates import hit_with, place_of
from tunegate.dataqa.targets import target_named
from tunegate.dataqa.turns import has_calls, role_of
from tunegate.dataqa.wording import listed, named, near, place, quoted

_ONLY_PAIRS: Mapping[str, Severity | None] = {"sft": None, "rft": None}
_KEYS = ("input", *OUTPUTS)


def _pair(
    preferred: str = "It is on its way.", other: str = "No idea.", asked: str = "Where is my parcel?"
) -> str:
    def answer(text: str) -> str:
        return '[{"role": "assistant", "content": "' + text + '"}]'

    return (
        '{"input": {"messages": [{"role": "user", "content": "' + asked + '"}]}, '
        '"preferred_output": ' + answer(preferred) + ', "non_preferred_output": ' + answer(other) + "}"
    )


_GOOD = _pair()


def _is_trl(row: Row) -> bool:
    """Whether a row is written as TRL's, for a target whose trainers read it."""
    value = row.value
    return target_named(row.target).templates and not is_openai(value) and not value.keys().isdisjoint(ANSWERS)


@rule(
    "PREF001",
    Severity.ERROR,
    severities=_ONLY_PAIRS,
    example_kind="dpo",
    bad=_GOOD.replace('"non_preferred_output"', '"rejected_output"'),
    good=_GOOD,
    says="'non_preferred_output' is missing: a pair is input, preferred_output and non_preferred_output; the row "
    "has 'input', 'preferred_output', 'rejected_output'",
)
def pair_incomplete(row: Row) -> Iterator[Hit]:
    """A preference pair lacks its input, its preferred or its other output.

    Without one of them there is nothing to compare. Rows with `chosen` and `rejected` are those of TRL: target
    `hf` takes them, services do not.
    """
    if not row.is_object:
        return
    value = row.value
    if _is_trl(row):
        missing = [key for key in ANSWERS if value.get(key) is None]
        shape = "chosen and rejected"
    else:
        missing = [key for key in _KEYS if value.get(key) is None]
        shape = "input, preferred_output and non_preferred_output"
    if not missing:
        return
    slips = {
        key: slip for key in missing if (slip := near(key, [name for name in value if name not in _KEYS], 0.9))
    }
    if slips:
        names = ", ".join(f"{quoted(slip)} to {key!r}" for key, slip in slips.items())
        hint = f"rename {names}"
    elif "messages" in value:
        hint = "the row is a chat, keep it in a file of chats"
    else:
        hint = f"a pair is {shape}" + (f"; the row has {listed(value)}" if value else "")
    yield Hit(f"{listed(missing)} {'is' if len(missing) == 1 else 'are'} missing: {hint}")


@rule(
    "PREF002",
    Severity.ERROR,
    severities=_ONLY_PAIRS,
    example_kind="dpo",
    example_target="azure-openai",
    bad=_GOOD.replace('"}]}, "pref', '"}, {"role": "assistant", "content": "One moment."}]}, "pref'),
    good=_GOOD,
    says="input.messages[1] is the assistant's: the input ends with the user, move it to both outputs",
)
def unsound_input(row: Row) -> Iterator[Hit]:
    """The input of a pair has no list of messages, or ends with the assistant.

    What stands last is what both outputs answer, a question or the call of a tool. Trainers of target `hf` can go
    on with an answer that was begun.
    Azure's page shows a single message in place of the list, which its schema does not: a warning there.
    """
    if not row.is_object:
        return
    value = row.value
    if _is_trl(row):
        if value.get("prompt") == [] or not isinstance(value.get("prompt"), (str, list, type(None))):
            yield Hit(f"prompt is {_kind(value['prompt'])}: it is a text or a list of messages", ("prompt",))
        return
    asked = value.get("input")
    if asked is None:
        return  # PREF001
    at: Path = ("input",)
    if not isinstance(asked, dict):
        yield Hit(f"input is {_kind(asked)}: it is an object with messages", at)
        return
    messages = asked.get("messages")
    if not isinstance(messages, list) or not messages:
        at = (*at, "messages") if "messages" in asked else at
        found = f"{place(at)} is {_kind(messages)}" if "messages" in asked else "input has no messages"
        single = isinstance(messages, dict) and row.target == "azure-openai"
        yield Hit(f"{found}: write the list of messages", at, severity=Severity.WARNING if single else None)
    elif _is_answer(messages[-1]) and not target_named(row.target).templates:
        at = (*at, "messages", len(messages) - 1)
        yield Hit(f"{place(at)} is the assistant's: the input ends with the user, move it to both outputs", at)


def _is_answer(message: Any) -> bool:
    return role_of(message) == "assistant" and not has_calls(message)


def _kind(found: Any) -> str:
    return "empty" if found in ([], {}, "") else "a text" if isinstance(found, str) else named(found)


@rule(
    "PREF003",
    Severity.ERROR,
    severities=_ONLY_PAIRS,
    example_kind="dpo",
    bad=_GOOD.replace('"preferred_output": [{"role": "assistant"', '"preferred_output": [{"role": "user"'),
    good=_GOOD,
    says="preferred_output[0] is the user's: only the assistant and its tools speak in an output",
)
def unsound_output(row: Row) -> Iterator[Hit]:
    """An output is no list of messages, holds one of the user or the system, or none of the assistant.

    Target `together` takes one message in each. With target `hf` an answer may be a text, and begin with the
    prompt where the row has no `prompt`, or has it as a text; then it ends with the assistant.
    """
    if not row.is_object:
        return
    trl = _is_trl(row)
    for key in ANSWERS if trl else OUTPUTS:
        found = row.value.get(key)
        if found is None or (trl and isinstance(found, str)):
            continue
        if not isinstance(found, list) or not found:
            yield Hit(f"{key} is {_kind(found)}: it is a list of messages, one of them the assistant's", (key,))
        elif trl and not isinstance(row.value.get("prompt"), list):
            role = role_of(found[-1])
            if role not in (None, "assistant"):
                at: Path = (key, len(found) - 1)
                yield Hit(f"{place(at)} is the {role}'s: an answer ends with the assistant", at)
        else:
            yield from _faults_of_roles(key, found)
            if len(found) > 1 and target_named(row.target).single_outputs:
                yield Hit(f"{key} has {len(found)} messages, and {row.target} takes one: keep the answer", (key,))


def _faults_of_roles(key: str, messages: Sequence[Any]) -> Iterator[Hit]:
    roles = [role_of(message) for message in messages]
    wrong = [index for index, role in enumerate(roles) if role in ("user", "system", "developer")]
    for index in wrong:
        at: Path = (key, index)
        yield Hit(f"{place(at)} is the {roles[index]}'s: only the assistant and its tools speak in an output", at)
    if not wrong and None not in roles and "assistant" not in roles:
        yield Hit(f"{key} has no message of the assistant: write the answer", (key,))


@rule(
    "PREF004",
    Severity.ERROR,
    severities=_ONLY_PAIRS,
    example_kind="dpo",
    bad=_pair(other="It is on its  way."),
    good=_GOOD,
    says="both answers are the same: write another one, or take the row out",
)
def equal_answers(row: Row) -> Iterator[Hit]:
    """The preferred answer is the same as the other one.

    Nothing can be learnt from such a pair. White space makes no difference; answers that differ in case or
    punctuation only are a warning, for that may be what is preferred.
    """
    pair = pair_of(row)
    if pair is None:
        return
    preferred, rejected = (texts_of(messages) for messages in pair.answers())
    at: Path = (OUTPUTS if is_openai(row.value) else ANSWERS)[1:]
    if " ".join(preferred.split()) == " ".join(rejected.split()):
        yield Hit("both answers are the same: write another one, or take the row out", at)
    elif folded(preferred) == folded(rejected):
        message = "both answers differ in case or punctuation only: is that what is preferred?"
        yield Hit(f"{message} else take the row out", at, severity=Severity.WARNING)


@rule(
    "PREF005",
    Severity.WARNING,
    scope="set",
    example_kind="dpo",
    bad=(_GOOD, _pair("No idea.", "It is on its way.")),
    good=(_GOOD, _pair("No idea.", "Ask somebody else.")),
    says="prefers the answer that line 1 rejects, and rejects the one that it prefers: keep the one that is right",
)
def reversed_pair(entries: Sequence[Entry], _data: Any) -> Iterator[tuple[Entry, Hit]]:
    """Two rows compare the same answers to the same question, and prefer different ones.

    People do disagree, but of the two rows the model learns nothing. Compared after normalisation: case, white
    space and punctuation make no difference.
    """
    seen: dict[tuple[str, str, str], Entry] = {}
    for entry in entries:
        pair = entry.pair
        if pair is None:
            continue
        partner = seen.get((pair.question, pair.rejected, pair.preferred))
        if partner is not None and pair.preferred != pair.rejected:
            where = place_of(partner, entry)
            said = f"prefers the answer that {where} rejects, and rejects the one that it prefers"
            known = known_by(pair.question, *sorted((pair.preferred, pair.rejected)))
            yield entry, hit_with(f"{said}: keep the one that is right", partner, 1.0, known=known)
        seen.setdefault((pair.question, pair.preferred, pair.rejected), entry)


# Where length makes no difference, 18 of 20 pairs prefer the longer answer by chance once in 5,000 sets.
MIN_PAIRS = 20
MOST_LONGER = 0.85

_EVEN = tuple(_pair(asked=f"Where is parcel {number}?") for number in range(20))
_UNEVEN = tuple(
    _pair("Soon.", asked=f"Where is parcel {number}?") if number % 5 == 0 else row
    for number, row in enumerate(_EVEN)
)


@rule(
    "PREF006",
    Severity.WARNING,
    scope="set",
    example_kind="dpo",
    bad=_EVEN,
    good=_UNEVEN,
    says="20 of 20 pairs (100 %) prefer the longer answer: add pairs in which the shorter one is better",
)
def length_bias(entries: Sequence[Entry], _data: Any) -> Iterator[tuple[Entry, Hit]]:
    """Nearly all pairs prefer the longer answer.

    The easiest thing to learn from such a set is to write more, whatever the question. Named when 20 pairs or more
    of different length are compared and more than 85 % prefer the longer one.
    """
    pairs = [entry.pair for entry in entries if entry.pair is not None]
    longer = sum(pair.lengths[0] > pair.lengths[1] for pair in pairs)
    if len(pairs) >= MIN_PAIRS and longer > MOST_LONGER * len(pairs):
        first = next(entry for entry in entries if entry.pair is not None)
        share = f"{longer:,} of {len(pairs):,} pairs ({100 * longer / len(pairs):.0f} %)"
        message = f"{share} prefer the longer answer: add pairs in which the shorter one is better"
        yield first, Hit(message, known_by=known_by())


@rule(
    "PREF007",
    Severity.WARNING,
    severities=_ONLY_PAIRS,
    fix="safe",
    repair=lambda _row, _hit: REMOVE,
    example_kind="dpo",
    example_target="azure-openai",
    bad=_GOOD[:-1] + ', "source": "forum"}',
    good=_GOOD,
    says="the key 'source' is unknown to azure-openai: take it out",
)
def unknown_pair_key(row: Row) -> Iterator[Hit]:
    """A preference pair has a key that the target does not know.

    Services have three: input, preferred_output and non_preferred_output. Trainers of target `hf` take rows with
    further columns.
    """
    if not row.is_object or target_named(row.target).row_keys is None or not row.value.keys() >= set(_KEYS):
        return
    for key in row.value:
        if key not in _KEYS:
            yield Hit(f"the key {quoted(key)} is unknown to {row.target}: take it out", (key,))


RULES = (
    pair_incomplete,
    unsound_input,
    unsound_output,
    equal_answers,
    reversed_pair,
    length_bias,
    unknown_pair_key,
)
