"""The settings of a check without a configuration file: the defaults of `[data]`, without pydantic.

`tunegate check FILE` in a repository without `tunegate.toml` must start fast; importing pydantic alone takes
longer than checking a thousand rows. The names are those of `core.configuration.Data`; a test compares them.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tunegate.dataqa.targets import target_named


@dataclass(frozen=True, slots=True)
class NearDuplicate:
    """How alike two texts must be to count as near duplicates, and which text is compared."""

    threshold: float = 0.8
    on: str = "user"
    shingle: str = "word5"


@dataclass(frozen=True, slots=True)
class Tokens:
    """The longest row that training takes, and counted with which tokenizer."""

    tokenizer: str = "model"
    max: int = 1024
    too_long: str = "refuse"


@dataclass(frozen=True, slots=True)
class Split:
    """Shares that go to validation and test, stratified and with groups kept together."""

    validation: float = 0.1
    test: float = 0.1
    stratify: str = "label"
    group: str | None = "conversation_id"


@dataclass(frozen=True, slots=True)
class Data:
    """The `[data]` table with its defaults."""

    files: tuple[str, ...] = ()
    validation: str | None = None
    test: str | None = None
    labels: str = "auto"
    target: str = "hf"
    kind: str = "auto"
    near_duplicate: NearDuplicate = NearDuplicate()
    balance: None = None
    tokens: Tokens = Tokens()
    split: Split = Split()
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severity: Mapping[str, str] = field(default_factory=dict)
    paths: tuple[Any, ...] = ()
    plugins: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    benchmarks: tuple[str, ...] = ()
    mask_personal_data: bool = True
    seed: int = 0


DEFAULTS = Data()


def without_configuration(target: str) -> Data:
    """Return the `[data]` table of a check that has no configuration: rows may be as long as the target takes.

    Raises UsageError for an unknown target.
    """
    longest = target_named(target).row_tokens
    tokens = replace(DEFAULTS.tokens, max=sys.maxsize if longest is None else longest)
    return replace(DEFAULTS, target=target, tokens=tokens)
