from __future__ import annotations

from pathlib import Path

import pytest

from tunegate.cli.main import main
from tunegate.core.configuration import load


def test_what_it_writes_is_valid_and_names_the_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "Größe 1"
    (folder / "data").mkdir(parents=True)
    for name in ("a.jsonl", "test.jsonl", "safety.jsonl"):
        (folder / "data" / name).write_bytes(b"{}\n")

    assert main(["init", str(folder)]) == 0

    configuration = load(folder / "tunegate.toml")
    assert configuration.data.files == ("data/a.jsonl",)
    assert configuration.data.test == "data/test.jsonl"
    assert configuration.data.validation is None
    assert set(configuration.gate.rules()) == {"accuracy", "f1_macro", "harm_rate"}
    assert capsys.readouterr().out.count("wrote ") == 3


def test_what_is_there_is_kept_unless_forced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tunegate.toml").write_text("# mine\n")
    assert main(["init", str(tmp_path)]) == 0
    assert (tmp_path / "tunegate.toml").read_text() == "# mine\n"
    assert "--force replaces it" in capsys.readouterr().err

    assert main(["init", str(tmp_path), "--force"]) == 0
    assert load(tmp_path / "tunegate.toml").data.files == ("chats.jsonl",)


def test_a_folder_that_is_not_there_is_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(tmp_path / "none")]) == 2
    assert "make it first" in capsys.readouterr().err


def test_hook_and_workflow_follow_their_schemas(tmp_path: Path) -> None:
    import subprocess
    import sys

    from pre_commit.clientlib import load_config

    from tunegate.core.version import VERSION

    assert main(["init", str(tmp_path)]) == 0
    workflow = tmp_path / ".github/workflows/tunegate.yml"
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    done = subprocess.run([*command, str(workflow)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"uses: tunegate/tunegate@v{VERSION}\n" in workflow.read_text()

    (repository,) = load_config(str(tmp_path / ".pre-commit-config.yaml"))["repos"]
    assert repository["rev"] == f"v{VERSION}"
    offered = (Path(__file__).resolve().parents[2] / ".pre-commit-hooks.yaml").read_text()
    for hook in repository["hooks"]:
        assert f"- id: {hook['id']}\n" in offered
