"""The whole of it on a tiny model: done once, resumed after a kill, refused where the evidence does not fit."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tunegate.cli.main import main
from tunegate.core.ledger import read_ledger
from tunegate.core.runs import Run


def run(project: Path, *options: str) -> int:
    return main(["run", str(project / "tunegate.toml"), *options])


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, make_project: Callable[[Path], Path]) -> Path:
    """A project whose run has ended; tests that change it copy it first."""
    project = make_project(tmp_path_factory.mktemp("finished"))
    assert run(project) == 0
    return project


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished project, free to be spoiled."""
    import shutil

    return Path(shutil.copytree(finished, tmp_path / "copy"))


def outputs(project: Path) -> dict[str, bytes]:
    """Return every file of the run that users see, but for the clock times."""
    folder = project / "runs" / "tiny"
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".stages" not in path.parts and path.name not in ("timing.json", "report.html")
    }


def test_a_run_leaves_the_documented_files_and_a_verdict(finished: Path) -> None:
    folder = finished / "runs" / "tiny"
    assert {
        "data/train.jsonl", "data/validation.jsonl", "data/test.jsonl",
        "ledger.jsonl", "safety.jsonl", "samples.jsonl.gz", "result.json",
    } <= set(outputs(finished))  # fmt: skip
    result = json.loads((folder / "result.json").read_bytes())
    assert result["schema"] == "tunegate.result/1"
    assert result["verdict"]["status"] == "pass"
    assert {check["rule_id"] for check in result["checks"]} == {"perplexity.max", "harm_rate.max"}
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "Pass" in page
    samples = gzip.decompress((folder / "samples.jsonl.gz").read_bytes()).splitlines()
    assert len(samples) == next(item["rows"] for item in result["data"] if item["role"] == "eval")
    assert not list(folder.rglob("*.tmp"))


def test_the_books_balance(finished: Path) -> None:
    folder = finished / "runs" / "tiny"
    dropped = [entry for entry in read_ledger(folder / "ledger.jsonl") if entry.action == "dropped"]
    rows_out = sum(path.read_bytes().count(b"\n") for path in (folder / "data").glob("*.jsonl"))
    assert rows_out + len(dropped) == 3 * 24 + 3 * 10
    safety = (folder / "safety.jsonl").read_bytes().count(b"\n")
    assert safety == rows_out + sum(entry.rule == "SAFE001" for entry in dropped)


def test_nothing_is_done_twice(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = outputs(copied)
    assert run(copied) == 0
    assert capsys.readouterr().err.count("unchanged") == 5
    assert outputs(copied) == before


def test_only_what_changed_is_done_again(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    toml = copied / "tunegate.toml"
    toml.write_text(toml.read_text().replace("resamples = 500", "resamples = 600"))
    assert run(copied) == 0
    err = capsys.readouterr().err
    assert err.count("unchanged") == 4
    assert "evaluate" in err


def test_two_runs_give_the_same_bytes(
    finished: Path, tmp_path: Path, make_project: Callable[[Path], Path]
) -> None:
    other = make_project(tmp_path)
    assert run(other) == 0
    first, second = outputs(finished), outputs(other)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def test_a_killed_run_ends_like_one_that_was_not(
    finished: Path, tmp_path: Path, make_project: Callable[[Path], Path]
) -> None:
    project = make_project(tmp_path)
    command = [sys.executable, "-m", "tunegate.cli.main", "run", str(project / "tunegate.toml")]
    # Each is given longer than the one before, so that the kills hit different stages.
    for seconds in (1.0, 3.0, 5.0, 7.0):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(seconds)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert run(project) == 0
    assert outputs(project) == outputs(finished)
    assert not list(project.rglob("*.tmp"))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda run: run.path("samples.jsonl.gz").write_bytes(b""), "samples.jsonl.gz changed"),
        (lambda run: run.path("data", "test.jsonl").write_bytes(b"{}\n"), "data/test.jsonl changed"),
        (lambda run: edit(run.path("result.json"), '"n": 30', '"n": 3000'), "is not what was measured"),
        (
            lambda run: next(run.path("model").glob("*.safetensors")).write_bytes(b"x"),
            "changed after `tunegate train`",
        ),
    ],
)
def test_spoiled_evidence_is_never_a_pass(
    copied: Path, spoil: object, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = Run(copied / "runs" / "tiny")
    spoil(found)  # type: ignore[operator]
    assert main(["gate", str(found.folder), "--config", str(copied / "tunegate.toml")]) == 4
    captured = capsys.readouterr()
    assert "ERROR" in captured.out
    assert words in captured.out
    assert found.result()["verdict"]["status"] == "error"


@pytest.mark.parametrize("command", ["gate", "report"])
def test_a_result_with_nan_is_damaged(copied: Path, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = Run(copied / "runs" / "tiny")
    edit(found.path("result.json"), '"n": 30', '"n": NaN')
    found.path("report.html").unlink()
    policy = ["--config", str(copied / "tunegate.toml")] if command == "gate" else []
    assert main([command, str(found.folder), *policy]) == 4
    assert "result.json is damaged: it holds NaN" in capsys.readouterr().err
    assert not found.path("report.html").exists()


def test_another_policy_than_the_runs_is_an_error(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    toml = copied / "tunegate.toml"
    toml.write_text(toml.read_text().replace("max = 1000.0", "max = 9000.0"))
    assert main(["gate", str(copied / "runs" / "tiny"), "--config", str(toml)]) == 4
    assert "policy" in capsys.readouterr().out


def test_a_policy_that_cannot_be_met_fails(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    toml = copied / "tunegate.toml"
    toml.write_text(toml.read_text().replace("max = 1000.0", "max = 1.000001"))
    assert run(copied) == 1
    assert capsys.readouterr().out.startswith("FAIL")
    assert run(copied, "--exit-zero") == 0


def test_a_failure_that_nobody_reads_is_one(copied: Path) -> None:
    toml = copied / "tunegate.toml"
    toml.write_text(toml.read_text().replace("max = 1000.0", "max = 1.000001"))
    assert run(copied) == 1
    command = f"'{sys.executable}' -m tunegate.cli.main gate '{copied / 'runs' / 'tiny'}' --config '{toml}' | true"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")


def test_an_empty_policy_is_said_before_the_work(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    toml = project / "tunegate.toml"
    toml.write_text(toml.read_text().partition("[gate]")[0])
    assert run(project) == 2
    assert "the policy is empty" in capsys.readouterr().err
    assert not (project / "runs").exists()


def test_stages_alone_in_order(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = ["--config", str(project / "tunegate.toml")]
    folder = project / "runs" / "alone"

    assert main(["prepare", *config, "--out", str(folder)]) == 0
    assert main(["train", str(folder), *config]) == 4
    assert "run `tunegate screen` first" in capsys.readouterr().err
    assert main(["screen", str(folder), *config]) == 0
    assert main(["train", str(folder), *config, "--dry-run"]) == 0
    assert "tokens" in capsys.readouterr().out
    assert main(["train", str(folder), *config]) == 0
    assert main(["gate", str(folder), *config]) == 4
    assert main(["evaluate", str(folder), *config]) == 0
    assert main(["gate", str(folder), *config]) == 0
    assert main(["report", str(folder), *config]) == 0
    assert (folder / "report.html").exists()
    row = (folder / "data" / "train.jsonl").read_bytes().splitlines()[0]
    from tunegate.core.jsonl import row_id

    capsys.readouterr()
    assert main(["explain", str(folder), row_id(row)]) == 0
    assert "train" in capsys.readouterr().out


def test_two_at_once_are_kept_apart(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tunegate.cli.stages import holding

    with holding(Run(copied / "runs" / "tiny")):
        assert run(copied) == 2
    assert "another tunegate is at work" in capsys.readouterr().err


def test_a_model_that_is_not_here_names_the_command(
    project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TUNEGATE_CACHE", str(tmp_path / "empty"))
    toml = project / "tunegate.toml"
    lines = [
        'model = "smollm2-135m"' if line.startswith("model") else line for line in toml.read_text().splitlines()
    ]
    toml.write_text("\n".join(lines))
    assert run(project) == 4
    assert "tunegate models fetch smollm2-135m" in capsys.readouterr().err


def test_layers_fit_the_model_unless_they_are_written(
    copied: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    toml = copied / "tunegate.toml"
    edit(toml, "layers = 1\n", "")
    assert main(["train", str(copied / "runs" / "tiny"), "--config", str(toml)]) == 0
    assert "note: layers = 2: these are all that the model" in capsys.readouterr().err
    edit(toml, "epochs = 2\n", "epochs = 2\nlayers = 6\n")
    assert run(copied) == 2
    err = capsys.readouterr().err
    assert f"{toml}: [train] layers = 6: the model" in err
    assert "write a number from 1 to 2" in err


def test_a_damaged_model_is_said_before_the_work(
    project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TUNEGATE_CACHE", str(tmp_path / "cache"))
    assert main(["models", "fetch", "tiny-phi3"]) == 0
    toml = project / "tunegate.toml"
    lines = ['model = "tiny-phi3"' if line.startswith("model") else line for line in toml.read_text().splitlines()]
    toml.write_text("\n".join(lines))
    weights = tmp_path / "cache" / "models" / "tiny-phi3" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    assert run(project) == 4
    captured = capsys.readouterr()
    assert "run `tunegate models fetch tiny-phi3` to fetch it again" in captured.err
    assert not (project / "runs").exists()


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (None, 4, "does not exist"),
        (b"", 4, "is empty"),
        (bytes(range(256)) * 20, 4, "no text file"),
        (b'{"messages": []}\n' * 12, 4, "no row"),
    ],
)
def test_wrong_input(
    project: Path, content: bytes | None, code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is None:
        (project / "chats.jsonl").unlink()
    else:
        (project / "chats.jsonl").write_bytes(content)
    assert run(project) == code
    captured = capsys.readouterr()
    assert words in captured.err
    assert "Traceback" not in captured.err


def test_a_misspelt_key_is_corrected(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    toml = project / "tunegate.toml"
    toml.write_text(toml.read_text().replace("epochs", "epoch"))
    assert run(project) == 2
    assert "did you mean 'epochs'?" in capsys.readouterr().err
