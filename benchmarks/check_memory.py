"""The memory of `tunegate check` on a file of 1 GB, all processes together, with rules over the set and without.

    python benchmarks/check_memory.py                 about 1 GB of generated chats, in a temporary folder
    python benchmarks/check_memory.py --rows 65000    a tenth of it

Memory is the proportional set size of all processes, read ten times a second from /proc (Linux).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from check_speed import write


def children_of(process: int) -> list[int]:
    """Return a process and all that it started."""
    found = [process]
    for one in found:
        try:
            text = Path(f"/proc/{one}/task/{one}/children").read_text(encoding="ascii")
        except OSError:
            continue
        found += [int(child) for child in text.split()]
    return found


def megabytes(process: int) -> float:
    total = 0
    for one in children_of(process):
        try:
            lines = Path(f"/proc/{one}/smaps_rollup").read_text(encoding="ascii").splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def measure(path: Path, *options: str) -> tuple[float, float]:
    """Return the peak in megabytes, and wall seconds."""
    started, peak = time.perf_counter(), 0.0
    command = [Path(sys.executable).with_name("tunegate"), "check", path.name, "--format", "json", *options]
    with subprocess.Popen(command, cwd=path.parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as work:
        while work.poll() is None:
            peak = max(peak, megabytes(work.pid))
            time.sleep(0.1)
    return peak, time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=680_000)
    parser.add_argument("--folder", type=Path, help="where the file is written")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        path = Path(folder) / "chats.jsonl"
        size = write(path, arguments.rows, 0)
        print(f"{arguments.rows:,} rows, {size / 1e9:.2f} GB, {os.cpu_count()} cores")
        for what, options in (("rules about rows alone", ("--each",)), ("all default rules", ())):
            peak, wall = measure(path, *options)
            print(f"{what}: {peak:,.0f} MB at most, {wall:.0f} s wall")


if __name__ == "__main__":
    main()
