"""One checker of chat files over many cases, in one process, with the Python of that checker's own environment.

    python checker_driver.py NAME SECONDS < cases.json > answers.json

A case is the files of one set, each with its split, and a target; an answer is the problems that the checker
tells of, each as (level, code), and why it gave up where it did: a crash, or more CPU seconds than a case may
take. Levels are the checker's own, put into three: error, warning, info. With the answers come the CPU seconds of
the whole process.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import resource
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Problem = tuple[str, str]
Case = dict[str, Any]


def tunegate(case: Case) -> Iterator[Problem]:
    """What `tunegate check` runs, once for the set; with the task kind and the settings of a rule's example."""
    from tunegate.dataqa.catalog import BY_ID
    from tunegate.dataqa.check import CheckSettings, DataFile, check
    from tunegate.dataqa.example_files import settings_for

    files = [DataFile(Path(path), split) for path, split in case["files"]]
    rule = BY_ID.get(case.get("rule", ""))
    settings = settings_for(rule, files[0].path.parent) if rule else CheckSettings(case["target"])
    for finding in check(files, settings).findings:
        yield finding.severity.value, finding.rule


def finelint(case: Case) -> Iterator[Problem]:
    """`finelint inspect` on each file, and `finelint compare` on the splits where there are several."""
    from finelint.cli import main

    calls = [["inspect", path] for path, _ in case["files"]]
    if len(case["files"]) > 1:
        calls.append(
            ["compare", *(option for path, split in case["files"] for option in ("--split", f"{split}={path}"))]
        )
    for call in calls:
        with _report() as report:
            told = _printed(main, [*call, "--report", str(report), "--affected-records", f"{report}.rows"])
            if not report.exists():
                yield "error", told
                continue
            for finding in json.loads(report.read_text())["findings"]:
                yield finding["severity"], finding["code"]


def parallelogram(case: Case) -> Iterator[Problem]:
    """`parallelogram check --json` on each file."""
    from parallelogram.cli import app

    for path, _ in case["files"]:
        told = _printed(app, ["check", path, "--json"])
        try:
            issues = json.loads(told)["issues"]
        except ValueError:
            yield "error", told
            continue
        for issue in issues:
            yield issue["severity"], f"{issue['rule']}: {issue['message']}"


def cleanllm(case: Case) -> Iterator[Problem]:
    """`cleanllm scan` with all that it can look for in chats, `check-turns`, and `preflight --framework trl`."""
    from cleanllm.cli import app

    scan = "--required-key messages --preset security_scan --pii --dup-estimate --chat-templates --scan-scope full"
    for path, _ in case["files"]:
        with _report() as report:
            told = _printed(app, ["scan", path, *scan.split(), "--full-text-scan", "--report", str(report)])
            if not report.exists():
                yield "error", told
                continue
            found = json.loads(report.read_text())
        counts = {name: found.get(name) for name in ("missing_required_keys", "encoding_issues")}
        counts |= found["forbidden_pattern_counts"] | found["pii"]["pii_counts"]
        counts["duplicates"] = (found["duplicate_estimate"] or {}).get("duplicate_records")
        counts["mixed templates"] = found["chat_templates"]["mixed"]
        yield from _counted("warning", counts)
        yield from _counted("error", {"invalid json": found["invalid_json_lines"]})
        with _report() as report:
            _printed(app, ["check-turns", path, "--report-json", str(report)])
            yield from _counted("warning", json.loads(report.read_text())["issue_type_counts"])
        with _report() as report:
            _printed(app, ["preflight", path, "--framework", "trl", "--report-json", str(report)])
            yield from _counted("error", json.loads(report.read_text())["error_counts"])


def modelbrew(case: Case) -> Iterator[Problem]:
    """`modelbrew_cleaner.clean_file` on each file; it has no command."""
    from modelbrew_cleaner import clean_file

    levels = {"critical": "error", "warning": "warning", "suggestion": "info"}
    for path, _ in case["files"]:
        for row in clean_file(path):
            for issue in row.issues:
                yield levels[issue.severity.value], issue.code


def together(case: Case) -> Iterator[Problem]:
    """`together.utils.check_file`, which `together files check` prints; it tells of the first problem only."""
    from together.utils import check_file

    for path, _ in case["files"]:
        report = check_file(Path(path))
        if not report["is_check_passed"]:
            # Without the number of the line, and without what Python says of its own place.
            yield "error", re.sub(r"\d+", "N", str(report["message"])).partition("\n")[0]


CHECKERS: dict[str, Callable[[Case], Iterator[Problem]]] = {
    "tunegate": tunegate,
    "finelint": finelint,
    "parallelogram": parallelogram,
    "cleanllm": cleanllm,
    "modelbrew-cleaner": modelbrew,
    "together": together,
}


def _printed(command: Callable[[list[str]], object], arguments: list[str]) -> str:
    """Return what a command line prints, and what it says on the other stream where it prints nothing."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), contextlib.suppress(SystemExit):
        command(arguments)
    return out.getvalue() or err.getvalue()


@contextlib.contextmanager
def _report() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "report.json"


def _counted(level: str, counts: dict[str, int | None]) -> Iterator[Problem]:
    for name, count in counts.items():
        yield from [(level, name)] * int(count or 0)


def answer(check: Callable[[Case], Iterator[Problem]], case: Case, seconds: float) -> dict[str, Any]:
    problems: list[Problem] = []
    gave_up = None
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        for problem in check(case):
            problems.append(problem)
    except Exception as error:  # a crash of a checker is an answer of its kind
        gave_up = f"{type(error).__name__}: {error}"[:200]
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return {"problems": problems, "gave_up": gave_up}


def _too_long(*_: object) -> None:
    raise TimeoutError("it takes too long")


def main() -> None:
    check = CHECKERS[sys.argv[1]]
    cases = json.load(sys.stdin)
    signal.signal(signal.SIGPROF, _too_long)
    quiet = io.StringIO()
    with contextlib.redirect_stderr(quiet), contextlib.redirect_stdout(quiet):
        answers = [answer(check, case, float(sys.argv[2])) for case in cases]
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    seconds = sum(each.ru_utime + each.ru_stime for each in used)
    json.dump({"answers": answers, "seconds": seconds}, sys.stdout)


if __name__ == "__main__":
    main()
