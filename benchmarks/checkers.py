"""`tunegate check` against other checkers of chat files: what each finds, false alarms, and CPU seconds.

    python benchmarks/checkers.py [--data FOLDER] [--environments FOLDER] [--only NAME ...] [--missed]

Each rule of the catalogue gives two cases: a violating file, and a near miss that is valid, as
`dataqa/example_files.py` writes them. A checker has *found* the fault when it tells of a problem, at whatever
level, that it does not tell of the near miss (the same one more often counts too), or when it gives up on the
violating file alone; of `tunegate` a finding of that very rule is asked. A *false alarm* is a near miss of a rule
about rows, which stands among twelve rows of which no two are alike, or a real file of `--data`, with a problem of
a level. The levels are each checker's own. `checker_driver.py` says how each is called, in an environment of its
own that is made here.

A fault of which no peer speaks counts against the peers: the table is about this catalogue. What no rule of it
covers, such as C++ headers (cleanllm) or openings that many answers share (modelbrew-cleaner), is not measured.
CPU seconds are of one process that goes through all files, and of one process with 10,000 rows.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from check_speed import write

from tunegate.dataqa.catalog import RULES
from tunegate.dataqa.example_files import can_be_written, write_files
from tunegate.dataqa.rule import Rule

OURS = "tunegate"
PEERS = {
    "finelint": "finelint==0.2.0",
    "parallelogram": "parallelogram==0.4.2",
    "cleanllm": "cleanllm==4.0.0",
    "modelbrew-cleaner": "modelbrew-cleaner==0.1.0",
    "together": "together==1.5.35",
}
DRIVER = Path(__file__).with_name("checker_driver.py")
# The cookbook's example of faulty rows.
NOT_VALID = ("toy_chat_fine_tuning.jsonl",)
LIMIT_FOR_LARGE = 900

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """The files of one set: the example of a rule, or one real file."""

    target: str
    files: list[tuple[str, str]]
    rule: str = ""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, help="a folder of real chat files that are valid")
    parser.add_argument("--environments", type=Path, default=Path.home() / ".cache" / "tunegate-benchmarks")
    parser.add_argument("--only", nargs="*", choices=list(PEERS), help="these peers alone")
    parser.add_argument("--rows", type=int, default=10_000, help="rows of the large file")
    parser.add_argument("--limit", type=float, default=20, help="CPU seconds that a checker may take for one case")
    parser.add_argument("--missed", action="store_true", help="name the rules that each checker misses")
    arguments = parser.parse_args()
    pythons = dict(environments(arguments.environments, PEERS if arguments.only is None else arguments.only))
    with tempfile.TemporaryDirectory() as folder:
        rules = [rule for rule in RULES if can_be_written(rule)]
        bad, good = (list(cases_of(rules, which, Path(folder) / which)) for which in ("bad", "good"))
        real = list(real_cases(arguments.data)) if arguments.data else []
        large = Path(folder) / "large.jsonl"
        write(large, arguments.rows, seed=0)
        print(
            f"{len(rules)} of {len(RULES)} rules, {len(real)} real files; {arguments.rows} rows in the large one\n"
        )
        print(HEADER)
        for name, python in pythons.items():
            answers, seconds = asked(name, python, bad + good + real, arguments.limit)
            (of_large,), large_seconds = asked(name, python, [of_one_file(large)], LIMIT_FOR_LARGE)
            end = " (ended)" if of_large["gave_up"] else ""
            missed = report(name, rules, answers, f"{seconds:.1f} | {large_seconds:.1f}{end}")
            if arguments.missed:
                print("|  | misses " + " ".join(missed))


def environments(folder: Path, names: Any) -> Iterator[tuple[str, Path]]:
    """Make an environment for each peer, and give the Python of those that could be installed."""
    yield OURS, Path(sys.executable)
    for name in names:
        python = folder / PEERS[name] / "bin" / "python"
        if not (folder / PEERS[name] / "ready").exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(python.parents[1])], check=True)
            pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PEERS[name]]
            done = subprocess.run(pip, capture_output=True, text=True, check=False)
            if done.returncode:
                reason = (done.stderr.strip() or "no reason given").splitlines()[-1]
                print(f"{PEERS[name]} is left out, it does not install: {reason}")
                continue
            (python.parents[1] / "ready").touch()
        yield name, python


def cases_of(rules: list[Rule], which: Any, folder: Path) -> Iterator[Case]:
    for rule in rules:
        place = folder / rule.id
        place.mkdir(parents=True)
        files: list[tuple[str, str]] = [(str(file.path), file.split) for file in write_files(rule, which, place)]
        yield Case(rule.example_target, files, rule.id)


def real_cases(folder: Path) -> Iterator[Case]:
    for path in sorted(folder.glob("*.jsonl")):
        if not path.name.endswith(".expected.jsonl") and path.name not in NOT_VALID:
            yield of_one_file(path)


def of_one_file(path: Path) -> Case:
    return Case("hf", [(str(path), "train")])


def asked(name: str, python: Path, cases: list[Case], limit: float) -> tuple[list[Answer], float]:
    """Return a checker's answers and the CPU seconds of all of them."""
    told = json.dumps([{"target": case.target, "files": case.files, "rule": case.rule} for case in cases])
    environment = dict(os.environ, TOGETHER_NO_BANNER="1", NO_COLOR="1")
    if name != OURS:
        environment.pop("PYTHONPATH", None)
    done = subprocess.run(
        [str(python), str(DRIVER), name, str(limit)],
        input=told, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    answer = json.loads(done.stdout)
    return answer["answers"], answer["seconds"]


COLUMNS = (
    "checker", "found", "false alarms: error", "warning", "on real files: error", "warning",
    "gave up", "CPU s, all files", "CPU s, large",
)  # fmt: skip
HEADER = "| " + " | ".join(COLUMNS) + " |\n" + "|---" * len(COLUMNS) + "|"


def report(name: str, rules: list[Rule], answers: list[Answer], seconds: str) -> list[str]:
    """Print a line of the table, and return the rules whose violating file is not found."""
    count = len(rules)
    bad, good, real = answers[:count], answers[count : 2 * count], answers[2 * count :]
    found = [is_found(name, *each) for each in zip(rules, bad, good, strict=True)]
    sound = [answer for rule, answer in zip(rules, good, strict=True) if rule.scope == "row"]
    gave_up = sum(answer["gave_up"] is not None for answer in answers)
    print(
        f"| {name} | {sum(found)} of {count} ({sum(found) / count:.0%})"
        f" | {alarms(sound, 'error')} of {len(sound)} | {alarms(sound, 'warning')}"
        f" | {alarms(real, 'error')} of {len(real)} | {alarms(real, 'warning')} | {gave_up} | {seconds} |"
    )
    return [rule.id for rule, is_one in zip(rules, found, strict=True) if not is_one]


def is_found(name: str, rule: Rule, bad: Answer, good: Answer) -> bool:
    if name == OURS:
        return any(code == rule.id for _, code in bad["problems"])
    if bad["gave_up"] and not good["gave_up"]:
        return True
    more = Counter(map(tuple, bad["problems"])) - Counter(map(tuple, good["problems"]))
    return bool(more)


def alarms(answers: list[Answer], level: str) -> int:
    """Count the files with a problem of a level; to give up on a valid file is an error."""
    return sum(
        any(one == level for one, _ in answer["problems"]) or (level == "error" and answer["gave_up"] is not None)
        for answer in answers
    )


if __name__ == "__main__":
    main()
