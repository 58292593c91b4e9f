"""The entry point: finds the command, runs it, and turns errors into a message and an exit code.

A command's module is imported only when that command is asked for, so that `tunegate --help` loads none of them.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

import click

from tunegate.cli.entry import Terminated
from tunegate.core.errors import ExitCode, TunegateError
from tunegate.core.version import VERSION

# name: (module, first line of the help)
COMMANDS = {
    "init": ("tunegate.cli.init", "Write tunegate.toml and hook and CI snippets for this repository."),
    "check": ("tunegate.cli.check", "Find every fault of chat files, and repair what can be repaired safely."),
    "explain": ("tunegate.cli.explain", "Say what a rule means, or what happened to a row and why."),
    "prepare": ("tunegate.cli.prepare", "Clean, deduplicate, balance and split, with a ledger of every change."),
    "screen": ("tunegate.cli.screen", "Screen prompts and completions for harm."),
    "models": ("tunegate.cli.models", "List the models that can be tuned, or fetch one."),
    "train": ("tunegate.cli.train", "Tune a model on the prepared data of a run."),
    "evaluate": ("tunegate.cli.evaluate", "Measure base and tuned model on the same held-out rows."),
    "report": ("tunegate.cli.report", "Write a run as one self-contained HTML page."),
    "gate": ("tunegate.cli.gate", "Decide by the policy whether a run may be released."),
    "run": ("tunegate.cli.run", "Do all of it from tunegate.toml; resume where it was cut off."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called; the help needs none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table, which is the order of the work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module and return its `command`."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name][0]).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or fail with the nearest name."""
        from tunegate.core.errors import nearest

        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"no command {args[0]!r}: {nearest(args[0], list(COMMANDS))}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(VERSION, prog_name="tunegate", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def tunegate(debug: bool) -> None:
    """Check chat data, tune a compact model on it, and gate the release with evidence.

    \b
    Start here:
      tunegate check chats.jsonl       every fault, with its line and its repair
      tunegate init                    a configuration for this repository
      tunegate run                     check, tune, measure, decide, report
    """


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code; no traceback reaches the user without `--debug`."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    try:
        ended = tunegate.main(arguments, prog_name="tunegate", standalone_mode=False)
        return int(ended) if isinstance(ended, int) else int(ExitCode.OK)
    except (KeyboardInterrupt, click.Abort) as error:
        return _fail(_INTERRUPTED, _interruption(error) or ExitCode.INTERRUPTED)
    except click.ClickException as error:
        if debug:
            raise
        error.show()
        return int(ExitCode.USAGE)
    except TunegateError as error:
        if debug:
            raise
        return _fail(str(error) + _elsewhere(error, arguments), error.exit_code)
    except (BrokenPipeError, SystemExit):
        # The reader of our output went away where `outlive_readers` is of no use: nothing more can be said, and
        # what the code would have been is not known. click turns the error into SystemExit, and leaves in no other
        # case by it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.UNREAD)
    except OSError as error:
        if debug:
            raise
        from tunegate.core.files import explain_os_error

        # Whatever opens a file of its own names it; what has no name is the output that click writes.
        place, doing = (error.filename, "use") if error.filename else ("to standard output", "write")
        return _fail(str(explain_os_error(error, place, doing)), ExitCode.INPUT)
    except Exception as error:
        if debug:
            raise
        if code := _interruption(error):
            return _fail(_INTERRUPTED, code)
        return _fail(
            f"an error in tunegate itself: {type(error).__name__}: {error}\n"
            "Please report it with the output of the same command and --debug.",
            ExitCode.INPUT,
        )


_INTERRUPTED = "interrupted: start the same command again to go on"


def _interruption(error: BaseException | None) -> ExitCode | None:
    """Return the code of the interrupt that an error is, or only wraps, as Python does while it makes a class."""
    while error is not None:
        if isinstance(error, Terminated):
            return ExitCode.TERMINATED
        if isinstance(error, KeyboardInterrupt):
            return ExitCode.INTERRUPTED
        error = error.__cause__ or error.__context__
    return None


def _elsewhere(error: TunegateError, arguments: Sequence[str]) -> str:
    """Name `--out` as the way out where the command has it."""
    from tunegate.core.errors import PlaceError

    name = next((argument for argument in arguments if argument in COMMANDS), None)
    if not isinstance(error, PlaceError) or name is None:
        return ""
    parameters = importlib.import_module(COMMANDS[name][0]).command.params
    return " (--out names it)" if any(parameter.name == "out" for parameter in parameters) else ""


def _fail(message: str, code: ExitCode) -> int:
    for line in message.splitlines():
        click.echo(f"tunegate: {line}", err=True)
    return int(code)


if __name__ == "__main__":
    from tunegate.cli.entry import main as entry

    sys.exit(entry())
