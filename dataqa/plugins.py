"""Rules of someone else: packages that offer them through the entry-point group `tunegate.rules`.

They are loaded only when a plugin is named, and trusted with no more than their findings: a rule that raises is
itself an error that is found, wherever it does, and its repair is left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tunegate.core.errors import UsageError, nearest
from tunegate.core.findings import Severity
from tunegate.core.patterns import lazy_pattern
from tunegate.dataqa.catalog import FAMILIES, family_of
from tunegate.dataqa.hit import KEEP, REMOVE, Hit
from tunegate.dataqa.row import Row
from tunegate.dataqa.rule import Rule

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "tunegate.rules"

_ID = lazy_pattern(r"[A-Z]+[0-9]{3}\Z")

# What a rule raised is told in so many characters: it may quote the data.
_LONGEST = 200


def load(names: Iterable[str]) -> tuple[Rule, ...]:
    """Return the rules of the plugins, by plugin and in their order.

    Raises UsageError for a plugin that is not installed or cannot be imported, for what is no rule, and for an id
    that is taken; it names both.
    """
    owners: dict[str, str] = {}
    found = []
    installed = _installed()
    for name in dict.fromkeys(names):
        for rule in _rules_of(name, installed):
            if owners.get(rule.id) == name:
                raise UsageError(f"the plugin {name!r} has two rules {rule.id}: give one of them another id")
            if rule.id in owners:
                raise UsageError(
                    f"the rule {rule.id} comes from the plugins {owners[rule.id]!r} and {name!r}: use one of them"
                )
            owners[rule.id] = name
            found.append(_guarded(rule, name))
    return tuple(found)


def versions(names: Iterable[str]) -> dict[str, str]:
    """Return the version of the package behind each plugin; empty where it has none."""
    installed = _installed()
    found = {name: installed[name].dist for name in names if name in installed}
    return {name: package.version if package else "" for name, package in found.items()}


def _installed() -> Mapping[str, EntryPoint]:
    from importlib.metadata import entry_points

    return {point.name: point for point in entry_points(group=GROUP)}


def _rules_of(name: str, installed: Mapping[str, EntryPoint]) -> tuple[Rule, ...]:
    if name not in installed:
        hint = nearest(name, list(installed)) if installed else "no package with rules is installed"
        raise UsageError(f"no plugin {name!r}: {hint}")
    try:
        offered = installed[name].load()
        rules = (offered,) if isinstance(offered, Rule) else tuple(offered)
    except (Exception, SystemExit) as error:
        raise UsageError(f"the plugin {name!r} cannot be loaded: {_told(error)}") from error
    for rule in rules:
        _vet(rule, name)
    return rules


def _vet(rule: Any, name: str) -> None:
    """Refuse what is no rule, and an id of a family of ours: its next rule would take it away."""
    if not isinstance(rule, Rule):
        raise UsageError(
            f"the plugin {name!r} offers {_shortened(repr(rule))}, and rules made with @rule are needed"
        )
    if not _ID.match(rule.id):
        raise UsageError(f"the plugin {name!r} has a rule {rule.id!r}: an id is capital letters and three digits")
    if family_of(rule.id) in FAMILIES:
        raise UsageError(
            f"the rule {rule.id} of the plugin {name!r} has the family {family_of(rule.id)} of tunegate: "
            "give it letters of its own"
        )


def _guarded(rule: Rule, name: str) -> Rule:
    """Return the rule so that nothing it raises or gives stops the check, or passes."""
    return replace(
        rule,
        check=_over_set(rule, name) if rule.scope == "set" else _over_one(rule, name),
        repair=rule.repair and _careful_repair(rule.repair),
        repair_line=rule.repair_line and _careful_line(rule.repair_line),
    )


def _over_one(rule: Rule, name: str) -> Callable[[Any], Iterator[Hit]]:
    def check(subject: Any) -> Iterator[Hit]:
        try:
            for hit in rule.check(subject):
                yield _a_hit(hit)
        except (Exception, SystemExit) as error:
            yield _failure(rule, name, error)

    return check


def _over_set(rule: Rule, name: str) -> Callable[[Sequence[Any], Any], Iterator[tuple[Any, Hit]]]:
    def check(entries: Sequence[Any], data: Any) -> Iterator[tuple[Any, Hit]]:
        try:
            for entry, hit in rule.check(entries, data):
                yield entry, _a_hit(hit)
        except (Exception, SystemExit) as error:
            yield entries[0], _failure(rule, name, error)

    return check


def _a_hit(hit: Any) -> Hit:
    if not isinstance(hit, Hit):
        raise TypeError(f"a rule gives hits, and this is {_shortened(repr(hit))}")
    return replace(hit, message=str(hit.message))


def _failure(rule: Rule, name: str, error: BaseException) -> Hit:
    message = f"the rule {rule.id} of the plugin {name!r} failed here, so nothing is known: {_told(error)}"
    return Hit(message, severity=Severity.ERROR)


def _careful_repair(repair: Callable[[Row, Hit], Any]) -> Callable[[Row, Hit], Any]:
    def mend(row: Row, hit: Hit) -> Any:
        try:
            value = repair(row, hit)
            if value is not KEEP and value is not REMOVE:
                json.dumps(value, allow_nan=False)
        except Exception:
            return KEEP
        return value

    return mend


def _careful_line(repair: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    def mend(line: bytes) -> bytes:
        try:
            mended = repair(line)
        except Exception:
            return line
        return mended if isinstance(mended, bytes) else line

    return mend


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {_shortened(str(error))}" if str(error) else type(error).__name__


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
