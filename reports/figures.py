"""Figures: values of the result that remember where they stand, so that each shown number can be checked.

A place is a JSON pointer (RFC 6901) into result.json: `/metrics/0/value`. Three last steps mean something made
of the children: `*` their sum, `#` how many there are, `#name=value` how many have this value. Another file is
named before the pointer: `timing.json#/stages/*/seconds`. A `*` in the middle goes through all children.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from markupsafe import Markup

from tunegate.core.visible import visible
from tunegate.reports.format import FORMATS, bound, is_number, write
from tunegate.reports.text import excerpt


class _Absent:
    """The type of ABSENT."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()
"""The value of a place that the result does not have."""

# How many digits of a digest are shown where there is little room; the whole one is in the title.
SHORT_DIGEST = 12


@dataclass(frozen=True, slots=True)
class Figure:
    """A value of the result with its place and the way it is written.

    `kind` is a key of `FORMATS`, or `text`, `setting` (where null means none), `code`, or `digest` (a short one).
    A lower or upper bound has its `side`, to which it is rounded, and `limit`, which it must not look like.
    """

    value: Any
    key: str
    kind: str
    side: Literal["", "low", "high"] = ""
    limit: float | None = None

    @property
    def known(self) -> bool:
        """Whether there is something to show."""
        if self.kind in FORMATS:
            return is_number(self.value)
        if self.kind == "setting":
            return self.value is not ABSENT
        return self.value is not ABSENT and self.value is not None and self.value != ""

    @property
    def text(self) -> str:
        """The value as it is shown; says so where there is none."""
        if not self.known:
            return "not measured" if self.kind in FORMATS else "not recorded"
        if self.side:
            return bound(self.value, self.kind, self.side == "high", self.limit)
        if self.kind in FORMATS:
            return write(self.value, self.kind)
        if self.value is None or isinstance(self.value, bool):
            return {None: "none", True: "yes", False: "no"}[self.value]
        text = self.value if isinstance(self.value, str) else _written(self.value, self.kind)
        shown = excerpt(text)
        if self.kind == "digest":
            return shown.text[:SHORT_DIGEST]
        return shown.text + ("…" if shown.left_out else "")

    @property
    def attributes(self) -> Markup:
        """The attributes that name place and form, for an element of any kind."""
        side = Markup(' data-side="{}"').format(self.side) if self.side else ""
        return Markup('data-key="{}" data-as="{}"{}').format(self.key, self.kind, side)

    def __str__(self) -> str:
        """Return the value as it is shown."""
        return self.text

    def __html__(self) -> str:
        """Return an element that names place and form, which a template puts in as it is."""
        if not self.known:
            return Markup('<span class="absent" {}>{}</span>').format(self.attributes, self.text)
        if self.kind in FORMATS:
            return Markup('<data value="{}" {}>{}</data>').format(
                json.dumps(self.value), self.attributes, self.text
            )
        if self.kind == "digest":
            return Markup('<code title="{}" {}>{}</code>').format(
                visible(str(self.value)), self.attributes, self.text
            )
        if self.kind == "code":
            return Markup("<code {}>{}</code>").format(self.attributes, self.text)
        return Markup("<bdi {}>{}</bdi>").format(self.attributes, self.text)


@dataclass(frozen=True, slots=True)
class Node:
    """A place in the result and what stands there; asking for what is not there gives an ABSENT node."""

    value: Any
    key: str = ""

    def __getitem__(self, step: str | int) -> Node:
        """Return a child by key or index, or an ABSENT node with its place."""
        key = f"{self.key}/{_escaped(step)}"
        if isinstance(step, int):
            inside = isinstance(self.value, (list, tuple)) and 0 <= step < len(self.value)
        else:
            inside = isinstance(self.value, dict) and step in self.value
        return Node(self.value[step] if inside else ABSENT, key)

    def at(self, *steps: str | int) -> Node:
        """Return the node some steps further down."""
        node = self
        for step in steps:
            node = node[step]
        return node

    def __bool__(self) -> bool:
        """Whether there is anything here: neither absent, null nor empty."""
        return self.value is not ABSENT and self.value is not None and self.value not in ({}, [], "")

    def __iter__(self) -> Iterator[Node]:
        """Give the children of a list; nothing for anything else."""
        if isinstance(self.value, (list, tuple)):
            yield from (self[number] for number in range(len(self.value)))

    def items(self) -> Iterator[tuple[str, Node]]:
        """Give the children of an object with their names; nothing for anything else."""
        if isinstance(self.value, dict):
            yield from ((str(name), self[str(name)]) for name in self.value)

    def find(self, **wanted: Any) -> Node:
        """Return the first child of a list with these values, such as `id="accuracy"`, or an ABSENT node."""
        for child in self:
            if all(child[name].value == value for name, value in wanted.items()):
                return child
        return Node(ABSENT, f"{self.key}/{','.join(f'{name}={value}' for name, value in wanted.items())}")

    def number(self) -> float | None:
        """Return the value if it is a finite number."""
        return self.value if is_number(self.value) else None

    def string(self) -> str:
        """Return the value if it is a string, else an empty one."""
        return self.value if isinstance(self.value, str) else ""

    def show(self, kind: str) -> Figure:
        """Return the figure for this place."""
        return Figure(self.value, self.key, kind)

    def bound(self, side: Literal["low", "high"], kind: str, limit: float | None = None) -> Figure:
        """Return the figure for this place as the lower or upper end of an interval."""
        return Figure(self.value, self.key, kind, side, limit)

    def total(self, *below: str, kind: str = "count") -> Figure:
        """Return the sum over the children (or over `below` each child); unknown when one is no number."""
        children = list(self) or [child for _, child in self.items()]
        values = [child.at(*below).value for child in children]
        key = "/".join([f"{self.key}/*", *map(_escaped, below)])
        known = self.value is not ABSENT and self.value is not None and all(map(is_number, values))
        return Figure(sum(values) if known else ABSENT, key, kind)

    def size(self) -> Figure:
        """Return how many children a list or an object has."""
        known = isinstance(self.value, (list, tuple, dict))
        return Figure(len(self.value) if known else ABSENT, f"{self.key}/#", "count")

    def tally(self, name: str, value: str) -> Figure:
        """Return how many children of a list have this value."""
        known = isinstance(self.value, (list, tuple))
        found = sum(child[name].value == value for child in self)
        return Figure(found if known else ABSENT, f"{self.key}/#{name}={value}", "count")


def _written(value: Any, kind: str) -> str:
    """Write what is neither a text nor a number: the texts of a list that is a setting one by one, else JSON."""
    if kind == "setting" and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value) or "none"
    return json.dumps(value, ensure_ascii=False)


def _escaped(step: str | int) -> str:
    """Write a step of a pointer; `*` and a leading `#` are our own signs and are escaped like `~` and `/`."""
    text = str(step).replace("~", "~0").replace("/", "~1")
    if text == "*":
        return "~2"
    return "~3" + text[1:] if text.startswith("#") else text


def say(sentence: str, *parts: object) -> Markup:
    """Put figures into a sentence at its `{}`; everything but figures and markup is escaped."""
    return Markup(sentence).format(*parts)  # noqa: S704
