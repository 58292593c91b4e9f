"""What a rule is: an id, a severity, a few lines of code, and one bad and one good example.

    @rule(
        "CHAT010",
        Severity.ERROR,
        bad='{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": " "}]}',
        good='{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}',
        says="the content is empty: write the text, or drop the row",
    )
    def empty_content(row: Row) -> Iterator[Hit]:
        ...

The decorator returns a `Rule` and touches no global; `catalog.py` names every rule in one tuple. The docstring of
the function is the rule's page in `tunegate explain`, and the examples are its test: the bad one gives exactly
one hit with the message `says`, the good one differs only by the fault and gives none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tunegate.core.findings import Fix, Severity
from tunegate.dataqa.hit import LineRepair, Repair
from tunegate.dataqa.needs import finder
from tunegate.dataqa.row import Kind, Split
from tunegate.dataqa.rule_in_pairs import OF_GOOD_ANSWERS, OF_WHOLE_ROWS, in_parts, in_parts_mended


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is known of a file once it was read: for the rules about a file as a whole.

    `size` is in bytes as the file lies on the disk; `rows` are the lines that are not blank; `form` is how they
    are written: one value a line, one JSON array, or values over several lines. `schemas` maps each row schema
    found (`chat`, `preference`, `prompt-completion`, `sharegpt`, `alpaca`, `text`) to how many rows have it and
    the first of their lines; `carriage_returns` and `separators` (U+2028, U+2029, U+0085) say the same of such
    lines. `image_rows` is how many rows have an image; `tokens` is what training sees in one epoch, counted only
    where it may be too much.
    """

    path: str
    size: int
    rows: int
    has_bom: bool
    compressed: bool
    target: str
    kind: Kind
    split: Split = "train"
    encoding: str = "utf-8"
    form: Literal["lines", "array", "objects"] = "lines"
    schemas: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    carriage_returns: tuple[int, int] = (0, 0)
    separators: tuple[int, int] = (0, 0)
    image_rows: int = 0
    tokens: int | None = None
    epochs: int = 1


Look = Callable[[bytes], bool]
"""Says whether bytes may hold what a rule speaks of; never wrong when it says no."""

Lines = str | bytes | Sequence[str | bytes]
Example = Lines | Callable[[], Lines]
"""The lines of an example, or what makes them: large ones are made only when they are looked at."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `needs` are byte strings of which a line must hold one for the rule to be asked at all.

    `may_hit` is a look of the rule's own in their place. It is asked of many lines at once, then of each: where it
    is true of some bytes it must be true of all that hold them.

    A rule with a `fix` has a `repair` of a value, or a `repair_line` of the bytes of a line (`fix.py` itself mends
    byte-order mark, encoding and final newline of a file). `example_facts` says of the bad and of the good example
    of a rule about a file what their bytes cannot show, such as a size of 600 MB; `example_splits` of each line
    of an example the split that it is in, train where nothing is said; `example_data` what stands under `[data]`,
    and `example_benchmark` the lines of a benchmark that the rows are compared with.

    A rule that is not `default` is asked only where it is selected, by its id or a prefix of it. `package` names
    the extra without which a rule cannot be asked; where it is missing the check says that the rule was not run.
    """

    id: str
    severity: Severity
    scope: Literal["row", "file", "set"]
    check: Callable[..., Iterator[Any]]
    doc: str = field(repr=False)
    fix: Fix | None = None
    repair: Repair | None = None
    needs: tuple[bytes, ...] = ()
    severities: Mapping[str, Severity | None] = field(default_factory=dict)
    bad_example: Example = field(default=(), repr=False)
    good_example: Example = field(default=(), repr=False)
    says: str = ""
    example_target: str = "hf"
    repair_line: LineRepair | None = None
    example_facts: tuple[Mapping[str, Any], Mapping[str, Any]] = ({}, {})
    example_kind: Kind = "sft"
    example_splits: tuple[Split, ...] = ()
    may_hit: Look | None = None
    default: bool = True
    package: str = ""
    example_data: Mapping[str, Any] = field(default_factory=dict)
    example_benchmark: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The first line of the documentation, which says what is wrong."""
        return self.doc.strip().partition("\n")[0].rstrip(".")

    @property
    def text(self) -> str:
        """The documentation, its title included."""
        import inspect

        return inspect.cleandoc(self.doc)

    @property
    def bad(self) -> tuple[bytes, ...]:
        """The lines of the example that has the fault."""
        return _lines(self.bad_example)

    @property
    def good(self) -> tuple[bytes, ...]:
        """The lines of the example that differs by the fault alone."""
        return _lines(self.good_example)

    @property
    def look(self) -> Look | None:
        """Whether bytes may hold what the rule speaks of; None where only the rule itself can say."""
        return self.may_hit or (finder(self.needs) if self.needs else None)

    def severity_for(self, target: str, kind: str = "sft") -> Severity | None:
        """Return the severity for a target and task kind; None where the rule does not apply."""
        by_kind = self.severities.get(kind, self.severity)
        return None if by_kind is None else self.severities.get(target, by_kind)


def rule(
    id: str,  # noqa: A002
    severity: Severity,
    *,
    bad: Example,
    good: Example,
    says: str,
    scope: Literal["row", "file", "set"] = "row",
    fix: Fix | None = None,
    repair: Repair | None = None,
    needs: tuple[bytes, ...] = (),
    severities: Mapping[str, Severity | None] | None = None,
    example_target: str = "hf",
    repair_line: LineRepair | None = None,
    example_facts: tuple[Mapping[str, Any], Mapping[str, Any]] = ({}, {}),
    example_kind: Kind = "sft",
    example_splits: tuple[Split, ...] = (),
    may_hit: Look | None = None,
    default: bool = True,
    package: str = "",
    example_data: Mapping[str, Any] | None = None,
    example_benchmark: tuple[str, ...] = (),
) -> Callable[[Callable[..., Iterator[Any]]], Rule]:
    """Make a rule of a generator function; `severities` maps a target or task kind to a severity, or to None.

    A rule about rows is written for chats. In preference rows it is asked about each list of messages, and what it
    finds and mends there is told by its place in the row. Rules of the families in `OF_WHOLE_ROWS` see rows as
    they are, and those in `OF_GOOD_ANSWERS` leave out the answer that is not preferred.
    """

    def make(check: Callable[..., Iterator[Any]]) -> Rule:
        asked, mends = check, repair
        if scope == "row" and not id.startswith(OF_WHOLE_ROWS):
            asked, mends = in_parts(check, id.startswith(OF_GOOD_ANSWERS)), repair and in_parts_mended(repair)
        return Rule(
            id, severity, scope, asked, check.__doc__ or "", fix, mends, needs, severities or {},
            bad, good, says, example_target, repair_line, example_facts,
            example_kind, example_splits, may_hit,
            default, package, example_data or {}, example_benchmark,
        )  # fmt: skip

    return make


def _lines(example: Example) -> tuple[bytes, ...]:
    made = example() if callable(example) else example
    items = [made] if isinstance(made, (str, bytes)) else made
    return tuple(item.encode() if isinstance(item, str) else item for item in items)
