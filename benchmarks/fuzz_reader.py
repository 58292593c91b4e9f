"""Any bytes must give findings: no exception, no hang, and what is said of a line must be true of it.

    python benchmarks/fuzz_reader.py --inputs 1000000 [--data FOLDER] [--keep FOLDER]
    python benchmarks/fuzz_reader.py --inputs 100000 --engine atheris

Inputs are made by seed: the examples of all rules and the lines of `--data`, with bytes changed, cut, spliced or
put in, with values of their JSON replaced, and noise. They go in blocks of many lines through the reader and every
rule about rows, under each target and task kind in turn. Of a sample of lines it is also checked that a
block finds what its lines find alone, that the standard library reads the same value, that values are located
where they stand, and that ids are stable; a sample of files goes through the whole check and is mended twice.

With atheris (`pip install atheris`) the coverage of the code guides which inputs are made; it asks of each input
what is otherwise asked of the sample, and is ended by the first fault. Ends with 1 where something was found.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, product
from pathlib import Path
from typing import Any

from fuzz_inputs import made, seeds

from tunegate.core.errors import InputError
from tunegate.core.files import sha256_bytes
from tunegate.core.jsonl import decode, row_id
from tunegate.core.lines import Block, blocks_of
from tunegate.core.location import locate
from tunegate.dataqa.catalog import RULES
from tunegate.dataqa.check import CheckSettings, DataFile, check
from tunegate.dataqa.fix import fix
from tunegate.dataqa.row import Kind
from tunegate.dataqa.rowcheck import Part, RowCheck
from tunegate.dataqa.settings import DEFAULTS
from tunegate.dataqa.targets import TARGETS
from tunegate.dataqa.tokens import Lengths

KINDS: tuple[Kind, ...] = ("sft", "dpo", "rft")
LINES_OF_A_BLOCK = 500
# One block in so many is looked at line by line, and one in so many is a file that is checked and mended.
BLOCKS_FOR_A_LOOK, BLOCKS_FOR_A_FILE = 20, 40
LINES_OF_A_FILE = 60
# A line takes microseconds; of half a megabyte, as in the longest example, some tens of milliseconds.
SECONDS_FOR_A_BLOCK = 60


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, help="a folder of files whose lines are begun with too")
    parser.add_argument("--engine", choices=("seeded", "atheris"), default="seeded")
    parser.add_argument("--keep", type=Path, help="a folder for the lines that something was found with")
    arguments = parser.parse_args()
    signal.signal(signal.SIGPROF, _too_long)
    trial = Trial(arguments.keep)
    if arguments.engine == "atheris":
        return guided(trial, seeds(arguments.data), arguments.inputs, arguments.seed)
    inputs = made(seeds(arguments.data), random.Random(arguments.seed))
    started = time.process_time()
    for number in range(-(-arguments.inputs // LINES_OF_A_BLOCK)):
        count = min(LINES_OF_A_BLOCK, arguments.inputs - number * LINES_OF_A_BLOCK)
        lines = [next(inputs) for _ in range(count)]
        trial.block(lines)
        if number % BLOCKS_FOR_A_LOOK == 0:
            trial.each(lines)
        if number % BLOCKS_FOR_A_FILE == 0:
            trial.file(lines[:LINES_OF_A_FILE])
    return trial.report(arguments.inputs, time.process_time() - started)


class Trial:
    """The code under trial, and what was found wrong with it."""

    def __init__(self, keep: Path | None) -> None:
        rows = [rule for rule in RULES if rule.scope == "row"]
        self._checks = {
            target: RowCheck(rows, target, DEFAULTS, Lengths(DEFAULTS.tokens.max), keeps_entries=True)
            for target in TARGETS
        }
        self._turns = cycle(product(TARGETS, KINDS))
        self._keep = keep
        self._faults = 0
        self._wrong: dict[str, bytes] = {}
        self._slowest: tuple[float, list[bytes], str, Kind] = (0.0, [b""], "hf", "sft")

    def block(self, lines: Sequence[bytes]) -> None:
        """Check lines together; where that fails, find the line."""
        target, kind = next(self._turns)
        started = time.thread_time()
        content = _lines(lines)
        half = len(content) // 2
        try:
            with _watched():
                self._checked(list(blocks_of([content[:half], content[half:]])), target, kind)
        except Exception:  # whatever it is, it is what is looked for
            for line in lines:
                self._tried(line, lambda line: self._checked([Block(1, _lines([line]))], target, kind))
        seconds = time.thread_time() - started
        if seconds > self._slowest[0]:
            self._slowest = (seconds, list(lines), target, kind)

    def each(self, lines: Sequence[bytes]) -> None:
        """Check what must hold of each line, and that they find together what they find alone."""
        target, kind = next(self._turns)
        for line in lines:
            self._tried(line, _holds)
        self._tried(b"\n".join(lines), lambda content: self._finds_the_same(content, target, kind))

    def file(self, lines: Sequence[bytes]) -> None:
        """Check and mend lines as a file, twice: the second time nothing is left to mend."""
        target, _ = next(self._turns)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "file.jsonl"
            self._tried(b"\n".join(lines), lambda content: _mends(path, content, target))

    def report(self, inputs: int, seconds: float) -> int:
        """Print what was found, and return the exit code."""
        _, lines, target, kind = self._slowest
        slowest = max(lines, key=lambda line: self._seconds(line, target, kind))
        print(f"{inputs:,} inputs in {seconds:.0f} CPU s, {inputs / seconds:,.0f} a second")
        shown = f"{slowest[:60]!r}" + ("..." if len(slowest) > 60 else "")
        print(
            f"slowest input: {self._seconds(slowest, target, kind) * 1000:.2f} ms, {len(slowest)} bytes, {shown}"
        )
        print(f"exceptions, hangs and untruths: {self._faults}, of {len(self._wrong)} kinds")
        return self.tell()

    def tell(self) -> int:
        """Print what is wrong, each kind once with a line that shows it, and return the exit code."""
        for what, line in self._wrong.items():
            print(f"\n{what}\n    with {line[:300]!r}")
            if self._keep:
                self._keep.mkdir(parents=True, exist_ok=True)
                (self._keep / sha256_bytes(line)[:16]).write_bytes(line)
        return int(bool(self._wrong))

    def _seconds(self, line: bytes, target: str, kind: Kind) -> float:
        # Not process_time: while a timer of CPU time runs, Linux counts that in ticks.
        taken = []
        for _ in range(3):
            started = time.thread_time()
            with contextlib.suppress(Exception), _watched():  # it is known by now
                self._checked([Block(1, _lines([line]))], target, kind)
            taken.append(time.thread_time() - started)
        return min(taken)

    def _finds_the_same(self, content: bytes, target: str, kind: Kind) -> None:
        parts = content.split(b"\n")
        alone = [found for part in parts for found in self._checked([Block(1, part + b"\n")], target, kind)]
        together = self._checked([Block(1, content + b"\n")], target, kind)
        assert alone == together, "a block finds something else than its lines"

    def _checked(self, blocks: Sequence[Block], target: str, kind: Kind) -> list[Any]:
        """Return what is found in blocks, without the numbers of the lines."""
        told = []
        for block in blocks:
            pieces = block.pieces()
            for found in self._checks[target](Part("a.jsonl", "train", kind, block)).findings:
                size = len(pieces[found.line - block.number])
                assert 1 <= found.column <= size + 1, f"{found.rule} points at column {found.column} of {size}"
                assert found.message.isprintable(), (
                    f"{found.rule} writes over several lines, or controls a terminal"
                )
                told.append((found.rule, found.column, found.message, found.fix, found.row_id))
        return told

    def _tried(self, line: bytes, ask: Callable[[bytes], object]) -> None:
        try:
            with _watched():
                ask(line)
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            self._faults += 1
            self._wrong.setdefault(
                f"{type(error).__name__} in {Path(where.filename).name}:{where.lineno}: {error}", line
            )


def _lines(lines: Sequence[bytes]) -> bytes:
    return b"\n".join(lines) + b"\n"


@contextlib.contextmanager
def _watched() -> Iterator[None]:
    signal.setitimer(signal.ITIMER_PROF, SECONDS_FOR_A_BLOCK)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _too_long(*_: object) -> None:
    raise TimeoutError(f"lines take over {SECONDS_FOR_A_BLOCK} CPU seconds")


def _holds(line: bytes) -> None:
    """Assert what is true of every line."""
    for raw in line.split(b"\n"):
        decoded = decode(raw)
        for fault in decoded.faults:
            assert 1 <= fault.column <= len(raw) + 1, f"a fault stands at column {fault.column} of {len(raw)}"
        assert len(row_id(raw, decoded)) == 16
        if decoded.faults:
            continue
        assert json.loads(raw) == decoded.value, "the standard library reads another value"
        if isinstance(decoded.value, dict) and not decoded.has_float and b"-0" not in raw:
            assert row_id(json.dumps(decoded.value).encode()) == row_id(raw, decoded), (
                "the id depends on the writing"
            )
        for path, value in _places(decoded.value):
            span = locate(raw, path)
            assert span is not None, f"{path} is not located"
            assert json.loads(raw[span.start : span.end]) == value, f"{path} is located elsewhere"


def _places(value: Any) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    waiting: list[tuple[tuple[str | int, ...], Any]] = [((), value)]
    while waiting:
        path, inner = waiting.pop()
        yield path, inner
        members = inner.items() if isinstance(inner, dict) else enumerate(inner) if isinstance(inner, list) else ()
        waiting += [((*path, step), member) for step, member in members]


def _mends(path: Path, content: bytes, target: str) -> None:
    path.write_bytes(content)
    file, settings = DataFile(path), CheckSettings(target)
    try:
        result = check([file], settings)
        again = check([file], settings)
        fix(file, settings, unsafe=True)
        once = path.read_bytes()
        fix(file, settings, unsafe=True)
    except InputError:  # no text at all, say, or nothing left
        return
    assert again.findings == result.findings, "the check says something else the second time"
    assert path.read_bytes() == once, "mending twice is not mending once"


def guided(trial: Trial, begun: Sequence[bytes], inputs: int, seed: int) -> int:
    """Let atheris make the inputs; it ends the process itself, with 77 at the first fault."""
    try:
        import atheris  # type: ignore[import-not-found, import-untyped, unused-ignore]
    except ImportError:
        print("atheris is not installed: pip install atheris, or leave out --engine", file=sys.stderr)
        return 2

    def one(content: bytes) -> None:
        lines = content.split(b"\n")
        trial.each(lines)
        trial.block(lines)
        if trial.tell():
            raise AssertionError("what is told above")

    with tempfile.TemporaryDirectory() as folder:
        for number, line in enumerate(begun):
            (Path(folder) / str(number)).write_bytes(line)
        options = [f"-runs={inputs}", f"-seed={seed or 1}", "-timeout=20", "-max_len=4096", folder]
        atheris.instrument_all()
        atheris.Setup([sys.argv[0], *options], one)
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
