# ruff: noqa: D401 (the first line of a rule's docstring is its title: it says what is wrong)
"""Rules about the chats of a set together: system messages, reasoning and tools that should be the same.

Each says what differs once, at the first row of the smaller part: a finding for every row would bury the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from tunegate.core.findings import Severity
from tunegate.dataqa.entry import Entry
from tunegate.dataqa.hit import Hit, known_by
from tunegate.dataqa.rule import rule
from tunegate.dataqa.wording import counted, quoted

_SYSTEM = '{"role": "system", "content": "Be brief."}'
_TURNS = '{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}'
_WITH = '{"messages": [' + _SYSTEM + ", " + _TURNS + "]}"
_WITHOUT = '{"messages": [' + _TURNS + "]}"

_THINKS = _WITHOUT.replace("Hello", "<think>A greeting.</think>Hello")

_TOOL = (
    '{"messages": [' + _TURNS + '], "tools": [{"type": "function", "function": {"name": "rate", "parameters": '
    '{"type": "object", "properties": {"unit": {"enum": ["EUR", "USD"]}}}}}]}'
)


def _lines(entries: Sequence[Entry], limit: int = 5) -> str:
    """Return where rows stand: the first lines of the first file, and how many more rows there are."""
    here = [str(entry.line) for entry in entries if entry.path == entries[0].path][:limit]
    more = f" and {len(entries) - len(here):,} more" if len(entries) > len(here) else ""
    return f"line{'s' if len(here) > 1 else ''} {', '.join(here)}{more}"


@rule(
    "CHAT021",
    Severity.WARNING,
    scope="set",
    bad=(_WITH, _WITH, _WITHOUT),
    good=(_WITH, _WITH, _WITH),
    says="1 row of 3 has no system message (line 3): give all rows the one that will be used, or none",
)
def uneven_system(entries: Sequence[Entry], _data: Any) -> Iterator[tuple[Entry, Hit]]:
    """Some rows have no system message, or the same one in several spellings.

    A model that is asked with a system message should have been trained with it, to the letter. A set that has it
    in some rows only, or with another case or white space in some, teaches that it does not matter.
    """
    by_file: dict[str, list[Entry]] = {}
    for entry in entries:
        if not entry.system:
            by_file.setdefault(entry.path, []).append(entry)
    missing = sum(map(len, by_file.values()))
    if missing < len(entries):
        for found in by_file.values():
            rows = f"{counted(missing, 'row')} of {len(entries):,} {'has' if missing == 1 else 'have'}"
            message = f"{rows} no system message ({_lines(found)})"
            advice = "give all rows the one that will be used, or none"
            yield found[0], Hit(f"{message}: {advice}", found[0].at, known_by=known_by())
    yield from _spellings(entries)


def _spellings(entries: Sequence[Entry]) -> Iterator[tuple[Entry, Hit]]:
    """Give the system messages that differ from a more frequent one in case and white space only."""
    counts = Counter(entry.system for entry in entries if entry.system)
    variants: dict[str, list[str]] = {}
    for text in counts:
        variants.setdefault(" ".join(text.split()).casefold(), []).append(text)
    slips = {
        text: group[0]
        for found in variants.values()
        if len(found) > 1
        for group in [sorted(found, key=lambda text: -counts[text])]  # the first of equals stays first
        for text in group[1:]
    }
    rows: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.system in slips:
            rows.setdefault(entry.system, []).append(entry)
    for text, found in rows.items():
        usual = counted(counts[slips[text]], "row")
        message = (
            f"the system message of {counted(len(found), 'row')} ({_lines(found)}) differs from that of {usual}"
        )
        about = known_by(" ".join(text.split()).casefold())
        message += " in case or white space only: write it in one way"
        yield found[0], Hit(message, found[0].at, known_by=about)


@rule(
    "CHAT028",
    Severity.WARNING,
    scope="set",
    bad=(_THINKS, _WITHOUT, _WITHOUT),
    good=(_THINKS, _THINKS, _THINKS),
    says="1 row of 3 reasons in tags such as <think> (line 1), the others do not: let all, or none",
)
def uneven_reasoning(entries: Sequence[Entry], _data: Any) -> Iterator[tuple[Entry, Hit]]:
    """Answers reason in tags such as `<think>` in a part of the set only, or a tag lacks its other half.

    A model that sees both learns to reason at random. Half a pair is left over from cutting the reasoning out, or
    from a template that wrote the opening tag into the prompt. A set in which every answer reasons is sound.
    """
    groups: dict[str, list[Entry]] = {"": [], "whole": [], "open": []}
    for entry in entries:
        groups[entry.reasoning].append(entry)
    for entry in groups["open"]:
        message = "an answer holds a reasoning tag such as <think> without its other half: write both, or none"
        yield entry, Hit(message, entry.at)
    plain, whole = groups[""], groups["whole"]
    if not plain or not whole:
        return
    total = f"{len(plain) + len(whole):,}"
    if len(whole) <= len(plain):
        rows = f"{counted(len(whole), 'row')} of {total} {'reasons' if len(whole) == 1 else 'reason'}"
        message = f"{rows} in tags such as <think> ({_lines(whole)}), the others do not: let all, or none"
        yield whole[0], Hit(message, known_by=known_by())
    else:
        rows = f"{counted(len(plain), 'row')} of {total} {'does' if len(plain) == 1 else 'do'}"
        message = f"{rows} not reason in tags such as <think> ({_lines(plain)}), the others do: let all, or none"
        yield plain[0], Hit(message, known_by=known_by())


@rule(
    "TOOL017",
    Severity.WARNING,
    scope="set",
    bad=(_TOOL, _TOOL, _TOOL.replace("USD", "CHF")),
    good=(_TOOL, _TOOL, _TOOL),
    says="the tool 'rate' is defined here (line 3) otherwise than in 2 rows (line 1): use one definition",
)
def uneven_tools(entries: Sequence[Entry], _data: Any) -> Iterator[tuple[Entry, Hit]]:
    """A tool of one name is defined in more than one way.

    A model is tuned on the definitions as on all other text: they should be, to the letter, the ones that it will
    be given in use. Descriptions count, the order of keys does not.
    """
    found: dict[str, dict[str, list[Entry]]] = {}
    for entry in entries:
        for name, digest in entry.tools:
            found.setdefault(name, {}).setdefault(digest, []).append(entry)
    for name, definitions in found.items():
        if len(definitions) == 1:
            continue
        usual, *others = sorted(definitions.values(), key=lambda rows: -len(rows))
        more = f", and in {counted(len(others) - 1, 'more way')}" if len(others) > 1 else ""
        first = usual[0]
        file = "" if first.path == others[0][0].path else f"{first.path} "
        rows = f"{counted(len(usual), 'row')} ({file}line {first.line})"
        message = f"the tool {quoted(name)} is defined here ({_lines(others[0])}) otherwise than in {rows}{more}"
        about = known_by(name)
        yield others[0][0], Hit(f"{message}: use one definition", others[0][0].tools_at, known_by=about)


RULES = (uneven_system, uneven_reasoning, uneven_tools)
