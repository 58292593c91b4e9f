"""A run is read from its folder, and damage is refused."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tunegate.cli.main import main
from tunegate.core.errors import InputError
from tunegate.core.files import write_json
from tunegate.core.jsonl import write_rows
from tunegate.core.runs import Run
from tunegate.reports.sources import load


@pytest.fixture
def run(tmp_path: Path, sample: ModuleType, rows: list[dict[str, Any]]) -> Run:
    made = Run(tmp_path / "runs" / "support")
    made.path("x").parent.mkdir(parents=True)
    packed = "".join(json.dumps(row) + "\n" for row in rows).encode()
    made.path("samples.jsonl.gz").write_bytes(gzip.compress(packed, mtime=0))
    made.finish("evaluate", "key", [made.path("samples.jsonl.gz")], {}, 1.0)
    write_rows(made.path("ledger.jsonl"), sample.ledger())
    write_json(made.path("result.json"), sample.result(rows))
    return made


def test_a_run_becomes_a_page(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(run.folder)]) == 0
    page = run.path("report.html").read_text(encoding="utf-8")
    assert "support-intents" in page
    assert str(run.path("report.html")) in capsys.readouterr().out
    first = run.path("report.html").read_bytes()
    assert main(["report", str(run.folder), "--out", str(run.path("again.html"))]) == 0
    assert run.path("again.html").read_bytes() == first


def test_markdown_goes_to_standard_output(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(run.folder), "--format", "markdown"]) == 0
    assert capsys.readouterr().out.startswith("## ✅ Pass: support-intents\n")
    assert not run.path("report.html").exists()
    target = run.path("summary.md")
    assert main(["report", str(run.folder), "--format", "markdown", "--out", str(target)]) == 0
    assert target.read_text(encoding="utf-8").startswith("## ✅ Pass")


def test_what_a_run_does_not_have_is_empty(run: Run) -> None:
    for name in ("ledger.jsonl", "timing.json"):
        run.path(name).unlink()
    _, samples, ledger, timing = load(run)
    assert len(list(samples)) == 300
    assert list(ledger) == []
    assert timing is None


def test_other_samples_than_those_measured_are_refused(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run.path("samples.jsonl.gz").write_bytes(gzip.compress(b"{}\n"))
    with pytest.raises(InputError, match="evaluate again"):
        load(run)
    assert main(["report", str(run.folder)]) == 4
    assert "samples.jsonl.gz" in capsys.readouterr().err
    assert not run.path("report.html").exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"schema": "tunegate.result/9"}'])
def test_a_damaged_result_is_refused(run: Run, content: bytes) -> None:
    run.path("result.json").write_bytes(content)
    assert main(["report", str(run.folder)]) == 4
    assert not run.path("report.html").exists()


def test_a_run_without_a_result_or_folder(run: Run, tmp_path: Path) -> None:
    run.path("result.json").unlink()
    assert main(["report", str(run.folder)]) == 4
    assert main(["report", str(tmp_path / "nowhere")]) == 4


def test_a_folder_that_cannot_be_written(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    blocked = run.path("blocked")
    blocked.write_text("a file")
    assert main(["report", str(run.folder), "--out", str(blocked / "page.html")]) == 4
    assert "page.html" in capsys.readouterr().err


def test_samples_that_are_damaged_inside(run: Run) -> None:
    packed = run.path("samples.jsonl.gz").read_bytes()
    run.path("samples.jsonl.gz").write_bytes(packed[:40] + b"\xff\xff\xff\xff" + packed[44:])
    run.path(".stages", "evaluate.json").unlink()  # a run that was copied without its records
    assert main(["report", str(run.folder)]) == 4
