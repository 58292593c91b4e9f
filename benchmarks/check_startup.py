"""The whole process of `tunegate check` on a file of 100 chats, as a multiple of a bare Python process.

    python benchmarks/check_startup.py

Byte code is allowed, or this would measure the compiler. CPU seconds, the best of several in turn.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from check_speed import write

CONFIGURATION = '[data]\nfiles = ["chats.jsonl"]\n'


def cpu(command: list[str], folder: Path) -> float:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, cwd=folder, capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repeat", type=int, default=11)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as bare, tempfile.TemporaryDirectory() as configured:
        for folder in (bare, configured):
            write(Path(folder) / "chats.jsonl", 100, 0)
        (Path(configured) / "tunegate.toml").write_text(CONFIGURATION, encoding="utf-8")
        tunegate = [str(Path(sys.executable).with_name("tunegate"))]
        commands = {
            "bare Python": ([sys.executable, "-c", "pass"], bare),
            "tunegate --help": ([*tunegate, "--help"], bare),
            "check, no configuration": ([*tunegate, "check", "chats.jsonl"], bare),
            "check --each, no configuration": ([*tunegate, "check", "chats.jsonl", "--each"], bare),
            "check, with a configuration": ([*tunegate, "check", "chats.jsonl"], configured),
        }
        best = dict.fromkeys(commands, float("inf"))
        for _ in range(arguments.repeat):
            for name, (command, folder) in commands.items():
                best[name] = min(best[name], cpu(command, Path(folder)))
    for name, seconds in best.items():
        print(f"{name:<32} {1000 * seconds:5.0f} ms  {seconds / best['bare Python']:4.1f} times bare Python")


if __name__ == "__main__":
    main()
