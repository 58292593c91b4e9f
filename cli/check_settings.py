"""The settings of a check: of the configuration, with those of the command line in their place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tunegate.cli.common import data_of_rules, token_counting
from tunegate.core.errors import UsageError

if TYPE_CHECKING:
    from tunegate.core.configuration import Configuration
    from tunegate.dataqa.check import CheckSettings

LEVELS = ["error", "warning", "info", "off"]


def configuration_at(path: Path | None) -> Configuration | None:
    """Return the configuration, or None where there is none: then pydantic is not even imported."""
    from tunegate.core.configuration_file import find

    path = path or find(Path())
    if path is None:
        return None
    from tunegate.cli.common import load_configuration

    return load_configuration(path)


def settings_of_call(
    configuration: Configuration | None,
    *,
    target: str | None,
    kind: str | None,
    select: Sequence[str],
    ignore: Sequence[str],
    severity: Sequence[str],
    plugins: Sequence[str],
    over_set: bool,
    jobs: int,
) -> CheckSettings:
    """Return the settings of the file, with those of the command line in their place."""
    from tunegate.dataqa.check import settings_of
    from tunegate.dataqa.settings import DEFAULTS, without_configuration

    if configuration is None:
        settings = settings_of(without_configuration(target or DEFAULTS.target))
    else:
        data, folder = data_of_rules(configuration), configuration.folder
        settings = settings_of(data, token_counting(configuration), folder)
        if "epochs" in configuration.train.model_fields_set:
            settings = replace(settings, epochs=configuration.train.epochs)
    return replace(
        settings,
        target=target or settings.target,
        kind=kind or settings.kind,
        select=_names(select) or settings.select,
        ignore=_names(ignore) or settings.ignore,
        severity=_levels(severity),
        plugins=(*settings.plugins, *plugins),
        over_set=over_set,
        jobs=jobs,
    )


def _levels(options: Sequence[str]) -> dict[str, str]:
    """Take `RULES=LEVEL` apart."""
    from tunegate.core.errors import nearest

    levels = {}
    for option in options:
        names, _, level = option.partition("=")
        if "," in level:
            first, *others = level.split(",")
            raise UsageError(
                f"--severity {option}: one level an option, so repeat it: --severity {names}={first} "
                + " ".join(f"--severity {other or 'RULES=LEVEL'}" for other in others)
            )
        if level not in LEVELS:
            raise UsageError(f"--severity {option}: {level!r} is no level: {nearest(level, LEVELS)}")
        levels.update(dict.fromkeys(names.split(","), level))
    return levels


def _names(options: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for option in options for name in option.split(","))
