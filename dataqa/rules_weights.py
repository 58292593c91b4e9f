# ruff: noqa: D401 (the first line of a rule's docstring is its title: it says what is wrong)
"""Rules about `weight`, which says whether an assistant message is learnt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tunegate.core.findings import Severity
from tunegate.core.location import Path
from tunegate.dataqa.hit import KEEP, REMOVE, Hit
from tunegate.dataqa.row import Row
from tunegate.dataqa.rule import rule
from tunegate.dataqa.targets import target_named
from tunegate.dataqa.turns import role_of
from tunegate.dataqa.wording import named, place

# A key may be written with escapes, though hardly anyone does.
_NEEDS = (b"weight", b"\\u00")

_CHAT = (
    '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello", "weight": 1}, '
    '{"role": "user", "content": "Who are you?"}, {"role": "assistant", "content": "Your bank"}]}'
)
_NUMBERS = {"0": 0, "0.0": 0, "1": 1, "1.0": 1, "false": 0, "true": 1}


def _is_weight(value: Any) -> bool:
    return type(value) is int and value in (0, 1)


def _taken_out(_row: Row, _hit: Hit) -> Any:
    return REMOVE


def _as_weight(row: Row, hit: Hit) -> Any:
    """Give 0 or 1 where the value can mean nothing else."""
    value = row.value["messages"][hit.at[1]]["weight"]
    if value is None:
        return REMOVE
    if isinstance(value, str):
        value = value.strip().casefold()
    elif isinstance(value, bool) or value in (0, 1):
        value = str(int(value))
    return _NUMBERS.get(value, KEEP) if isinstance(value, str) else KEEP


@rule(
    "CHAT018",
    Severity.ERROR,
    fix="safe",
    repair=_as_weight,
    needs=_NEEDS,
    bad=_CHAT.replace('"weight": 1', '"weight": true'),
    good=_CHAT,
    says="messages[1].weight is true: it must be the integer 0 or 1",
)
def bad_weight(row: Row) -> Iterator[Hit]:
    """The weight of a message is not the integer 0 or 1.

    0 is read and not learnt, 1 is learnt. Shares such as 0.5 are taken by none of the targets. The fix writes
    true, 1.0 and "1" as 1.
    """
    for index, message in row.messages:
        if "weight" not in message or _is_weight(message["weight"]):
            continue
        weight = message["weight"]
        if role_of(message) not in (None, "assistant"):
            continue  # CHAT019 has it taken out
        if weight is None and target_named(row.target).templates:
            continue  # tables are filled up with null
        at: Path = ("messages", index, "weight")
        yield Hit(f"{place(at)} is {named(weight)}: it must be the integer 0 or 1", at)


@rule(
    "CHAT019",
    Severity.WARNING,
    fix="safe",
    repair=_taken_out,
    needs=_NEEDS,
    bad=_CHAT.replace('"Hi"', '"Hi", "weight": 1'),
    good=_CHAT,
    says="messages[0] is the user's and has a weight: take it out, only answers are learnt",
)
def weight_of_other(row: Row) -> Iterator[Hit]:
    """A message that is not the assistant's has a weight.

    Only the assistant's messages are learnt; services refuse a weight elsewhere or leave it unread.
    """
    for index, message in row.messages:
        role = role_of(message)
        if message.get("weight") is not None and role not in (None, "assistant"):
            at: Path = ("messages", index)
            yield Hit(
                f"{place(at)} is the {role}'s and has a weight: take it out, only answers are learnt",
                (*at, "weight"),
            )


@rule(
    "CHAT020",
    Severity.ERROR,
    severities={"hf": Severity.WARNING, "dpo": None, "rft": None},
    needs=_NEEDS,
    example_target="azure-openai",
    bad=_CHAT.replace('"weight": 1', '"weight": 0').replace('"Your bank"', '"Your bank", "weight": 0'),
    good=_CHAT.replace('"weight": 1', '"weight": 0'),
    says="every assistant message has weight 0: nothing is learnt, set one to 1 or take the row out",
)
def nothing_learnt(row: Row) -> Iterator[Hit]:
    """Every assistant message of the row has weight 0, so that nothing of it is learnt.

    A service bills the row all the same. Trainers of target `hf` skip it, which makes it a warning there. Answers
    among the messages of a preference pair or a reinforcement row are not learnt anyhow.
    """
    weights = [message.get("weight") for _, message in row.messages if message.get("role") == "assistant"]
    if weights and all(_is_weight(weight) and weight == 0 for weight in weights):
        first = next(index for index, message in row.messages if message.get("role") == "assistant")
        yield Hit(
            "every assistant message has weight 0: nothing is learnt, set one to 1 or take the row out",
            ("messages", first, "weight"),
        )


RULES = (bad_weight, weight_of_other, nothing_learnt)
