"""Which rules are asked, and how severe their findings are: by the call, the configuration, and the file.

A level is a severity or `off`, given for an id or for all ids that begin alike; the longest name wins. What the
call says goes before `[[data.paths]]`, where a later table goes before an earlier one, and that before
`[data.severity]`.
"""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunegate.core.errors import UsageError
from tunegate.core.findings import Finding, Severity
from tunegate.dataqa.catalog import RULES, choose, known_prefixes
from tunegate.dataqa.rule import Rule

if TYPE_CHECKING:
    from tunegate.dataqa.check import CheckSettings

Levels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _PathLevels:
    """The levels of some files, by their whole paths."""

    files: frozenset[Path]
    levels: Levels


class Choice:
    """The rules and levels that the settings of a check stand for.

    Raises UsageError for a plugin that cannot be used, and for a rule that does not exist.
    """

    def __init__(self, settings: CheckSettings) -> None:
        pool = with_plugins(settings.plugins)
        self._levels = _checked(settings.data.severity, pool, "[data.severity]")
        self._paths = [_of_paths(table, pool, settings.folder) for table in settings.data.paths]
        self._called = _checked(settings.severity, pool, "--severity")
        self._level = lru_cache(maxsize=None)(self._find_level)
        chosen = choose(settings.select, settings.ignore, pool)
        self.rules = tuple(rule for rule in chosen if self._may_be_on(rule, settings.over_set))

    def rules_for(self, path: str) -> tuple[Rule, ...]:
        """Return the rules that are not off for a file."""
        return tuple(rule for rule in self.rules if self._level(rule.id, path) != "off")

    def adjusted(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """Give the findings with the severities that are set for them; those that are off are left out."""
        for finding in findings:
            level = self._level(finding.rule, finding.path)
            if level is None:
                yield finding
            elif level != "off":
                yield replace(finding, severity=Severity(level))

    def _may_be_on(self, rule: Rule, over_set: bool) -> bool:
        if rule.scope == "set" and not over_set:
            return False
        called = level_of(rule.id, self._called)
        if called or level_of(rule.id, self._levels) != "off":
            return called != "off"
        return any(level_of(rule.id, table.levels) not in (None, "off") for table in self._paths)

    def _find_level(self, rule_id: str, path: str) -> str | None:
        if called := level_of(rule_id, self._called):
            return called
        found = level_of(rule_id, self._levels)
        file = Path(path).resolve() if self._paths else None
        for table in self._paths:
            if file in table.files:
                found = level_of(rule_id, table.levels) or found
        return found


def with_plugins(names: Sequence[str]) -> tuple[Rule, ...]:
    """Return the rules of tunegate and of the plugins, which are imported only where there are any."""
    if not names:
        return RULES
    from tunegate.dataqa.plugins import load

    return (*RULES, *load(names))


def level_of(rule_id: str, levels: Levels) -> str | None:
    """Return the level of a rule: that of the longest name that its id begins with, or None."""
    names = [name for name in levels if rule_id.startswith(name)]
    return levels[max(names, key=len)] if names else None


def with_levels(rules: Iterable[Rule], levels: Levels) -> Iterator[Rule]:
    """Give the rules with the severities that are set for them, wherever they apply; those that are off not."""
    levels = {name.upper(): level for name, level in levels.items()}
    for rule in rules:
        level = level_of(rule.id, levels)
        if level is None:
            yield rule
        elif level != "off":
            never = {name: None for name, severity in rule.severities.items() if severity is None}
            yield replace(rule, severity=Severity(level), severities=never)


def _of_paths(table: Any, pool: Sequence[Rule], folder: Path) -> _PathLevels:
    where = f"[[data.paths]] path = {table.path!r}"
    levels = dict.fromkeys(_checked(dict.fromkeys(table.ignore, "off"), pool, where), "off")
    levels.update(_checked(table.severity, pool, where))
    matches = glob.glob(table.path, root_dir=folder, recursive=True)  # noqa: PTH207  # the folder is no pattern
    return _PathLevels(frozenset((folder / match).resolve() for match in matches), levels)


def _checked(levels: Levels, pool: Sequence[Rule], where: str) -> Levels:
    """Return the levels by names in capitals. Raises UsageError with the nearest id for one that is none."""
    try:
        return dict(zip(known_prefixes(levels, pool), levels.values(), strict=True))
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from error
