"""The errors that tunegate raises, and the exit code that each one ends a command with.

    TunegateError
    ├── UsageError          2   the call or the configuration is wrong
    │   └── MissingExtraError   2   an optional package is not installed
    ├── InputError          4   a file or the evidence is missing, unreadable or corrupt
    │   └── PlaceError          4   nothing can be written there
    └── ProviderError       5   a service or the network did not answer

A message names the value, the place and the likely repair; it is all that a user sees.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What a command ends with, the same everywhere."""

    OK = 0
    FAILED = 1
    USAGE = 2
    INCONCLUSIVE = 3
    INPUT = 4
    PROVIDER = 5
    INTERRUPTED = 130
    UNREAD = 141
    TERMINATED = 143


# Where several apply, the first of these wins.
PRECEDENCE = (
    ExitCode.INTERRUPTED,
    ExitCode.TERMINATED,
    ExitCode.UNREAD,
    ExitCode.USAGE,
    ExitCode.PROVIDER,
    ExitCode.INPUT,
    ExitCode.FAILED,
    ExitCode.INCONCLUSIVE,
    ExitCode.OK,
)


def worst(*codes: ExitCode) -> ExitCode:
    """Return the exit code that wins among several; OK when there are none."""
    return min(codes, key=PRECEDENCE.index, default=ExitCode.OK)


class TunegateError(Exception):
    """Base of every error that is meant for the user."""

    exit_code = ExitCode.INPUT


class UsageError(TunegateError):
    """The call or the configuration cannot be followed."""

    exit_code = ExitCode.USAGE


class MissingExtraError(UsageError):
    """An optional package is needed and not installed."""


class InputError(TunegateError):
    """A file or the evidence is missing, unreadable, corrupt, or cannot be written."""

    exit_code = ExitCode.INPUT


class PlaceError(InputError):
    """A file cannot be written where it should go; elsewhere it could."""


class ProviderError(TunegateError):
    """A service or the network did not answer, or answered with something that cannot be used."""

    exit_code = ExitCode.PROVIDER


def nearest(value: str, valid: list[str]) -> str:
    """Return ", did you mean 'x'?" for the closest valid name, or a list of what is valid."""
    import difflib

    close = difflib.get_close_matches(value, valid, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    return "valid are " + ", ".join(sorted(valid))
