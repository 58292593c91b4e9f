"""The way in from the console: what Ctrl-C does is settled before anything that takes time is imported."""

from __future__ import annotations

import _thread
import signal
import sys
import time

TYPE_CHECKING = False  # typing itself would be imported for nothing else
if TYPE_CHECKING:
    from sys import UnraisableHookArgs
    from types import FrameType

INTERRUPTED = 130
TERMINATED = 143

# Long enough to leave the place that cannot be interrupted, too short to be noticed.
_SECONDS_TO_LEAVE = 0.01


class Terminated(KeyboardInterrupt):
    """The process was asked to end by SIGTERM, as by `kill`, `timeout`, a container or a cancelled job of CI."""


def main() -> int:
    """Run the command line of this process and return its exit code.

    Until the commands are loaded there is nothing to end in good order, so an interrupt simply ends the process,
    as it does once they are done. In between it is a KeyboardInterrupt, and SIGTERM one of its kind. Where
    interrupts are ignored, as in the background of a script, they stay so.
    """
    interruptible = signal.getsignal(signal.SIGINT) is not signal.SIG_IGN
    terminable = signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if interruptible:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from tunegate.cli.main import main as run
    from tunegate.cli.output import outlive_readers

    sys.unraisablehook = _interrupt_again
    outlive_readers()
    try:
        if interruptible:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if terminable:
            signal.signal(signal.SIGTERM, _terminate)
        return run()
    except Terminated:
        return TERMINATED
    except KeyboardInterrupt:  # outside of what `run` guards, such as while it says that it was interrupted
        return INTERRUPTED
    finally:
        if interruptible:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        if terminable:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise Terminated


def _interrupt_again(lost: UnraisableHookArgs) -> None:
    """Repeat an interrupt that came where no exception can get out, such as while an object was cleared away.

    Python would print it and go on with the work.
    """
    if isinstance(lost.exc_value, KeyboardInterrupt):
        again = signal.SIGTERM if isinstance(lost.exc_value, Terminated) else signal.SIGINT
        _thread.start_new_thread(_interrupt_soon, (_thread.get_ident(), again))
    else:
        sys.__unraisablehook__(lost)


def _interrupt_soon(thread: int, again: signal.Signals) -> None:
    time.sleep(_SECONDS_TO_LEAVE)
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(thread, again)  # this also wakes a thread that waits
    else:
        _thread.interrupt_main(again)
