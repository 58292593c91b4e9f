"""A rule in words, for `tunegate explain` and for the pages in `docs/rules`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tunegate.dataqa.rule import Rule
from tunegate.dataqa.showing import printable
from tunegate.dataqa.targets import TARGETS

# Longer examples are cut in their middle: nobody reads a megabyte of "Hi".
LONGEST_LINE = 400
MOST_LINES = 12

FIXES = {
    None: "none",
    "safe": "safe, by --fix",
    "unsafe": "unsafe, by --unsafe-fixes: look at it afterwards",
}
KINDS = {"sft": "supervised chats", "dpo": "preference pairs", "rft": "reinforcement rows"}


def severities(rule: Rule) -> str:
    """Say how severe a rule is, and for which targets and task kinds it is not so."""
    others: dict[str, list[str]] = {}
    for name, severity in rule.severities.items():
        if severity is not rule.severity:
            others.setdefault(severity.value if severity else "not asked", []).append(KINDS.get(name, name))
    exceptions = (f"{severity} for {' and '.join(names)}" for severity, names in others.items())
    return "; ".join([rule.severity.value, *exceptions])


def asked(rule: Rule) -> str:
    """Say when a rule is asked that is not asked by default, and what it needs."""
    needs = f"; needs `pip install 'tunegate[{rule.package}]'`" if rule.package else ""
    return f"only where it is selected, as by --select {rule.id}{needs}"


def severity_table(rule: Rule) -> Iterator[tuple[str, str]]:
    """Give each target with the severity that the rule has for it ("-" where it is not asked)."""
    for target in TARGETS:
        severity = rule.severity_for(target, rule.example_kind)
        yield target, severity.value if severity else "-"


def example(rule: Rule, lines: Iterable[bytes], which: int) -> Iterator[str]:
    """Give the lines of an example as they may be shown: cut where long, with the split and the facts behind them.

    `which` is 0 for the bad and 1 for the good one.
    """
    facts = rule.example_facts[which]
    if facts:
        yield "# a file with " + ", ".join(f"{key} = {value!r}" for key, value in facts.items())
    for key, value in rule.example_data.items():
        yield f"# [data] {key} = {list(value)}"
    for line in rule.example_benchmark:
        yield f"# benchmark: {line}"
    split_before = None
    shown = [part for line in lines for part in _parts(line, rule.scope)]
    for place, part in enumerate(shown):
        if len(shown) > MOST_LINES and MOST_LINES // 2 <= place < len(shown) - MOST_LINES // 2:
            if place == MOST_LINES // 2:
                yield f"# ... {len(shown) - MOST_LINES // 2 * 2} more rows"
            continue
        split = rule.example_splits[place] if rule.example_splits else None
        if split != split_before:
            yield f"# {split}"
            split_before = split
        yield part


def _parts(line: bytes, scope: str) -> list[str]:
    """Return the lines of one piece of an example; a file with its line ends is taken apart."""
    if scope != "file":
        return [_cut(line)]
    parts = line.removesuffix(b"\n").split(b"\n")
    many = len(parts) > 4 and len(set(parts)) == 1
    return [_cut(parts[0]), f"# ... and so on, {len(parts)} rows"] if many else [_cut(part) for part in parts]


def _cut(line: bytes) -> str:
    text = printable(line.removesuffix(b"\n").decode("utf-8", "backslashreplace"))
    if len(text) <= LONGEST_LINE:
        return text or "(a blank line)"
    return (
        f"{text[: LONGEST_LINE // 2]} ... {len(text) - LONGEST_LINE:,} characters ... {text[-LONGEST_LINE // 2 :]}"
    )


def explain(rule: Rule) -> Iterator[str]:
    """Give the lines of a rule's explanation for a terminal."""
    yield f"{rule.id}  {rule.title}"
    yield ""
    for target, severity in severity_table(rule):
        yield f"  {target:<14}{severity}"
    yield f"  {'fix':<14}{FIXES[rule.fix]}"
    if not rule.default:
        yield f"  {'asked':<14}{asked(rule)}"
    body = rule.text.partition("\n")[2].strip("\n")
    if body:
        yield ""
        yield from body.splitlines()
    yield ""
    yield "Bad:"
    yield from (f"  {line}" for line in example(rule, rule.bad, 0))
    yield f"  -> {printable(rule.says)}"
    yield ""
    yield "Good:"
    yield from (f"  {line}" for line in example(rule, rule.good, 1))
