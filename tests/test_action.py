"""The GitHub action: valid, closed to what stands in its inputs, and its scripts run as the runner runs them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

TOP = Path(__file__).resolve().parent.parent
ACTION = yaml.safe_load((TOP / "action.yml").read_text())
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}

CHAT = '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}\n'


def check_schema(schema: str, path: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (TOP / "docs/ci.md").read_text("utf-8"), re.DOTALL)


def test_it_follows_the_schema() -> None:
    check_schema("github-actions", TOP / "action.yml")


def test_the_documentation_follows_the_schemas(tmp_path: Path) -> None:
    import tomllib

    from pre_commit.clientlib import load_config

    from tunegate.core.configuration import Configuration
    from tunegate.core.version import VERSION

    hooks, workflow, job = blocks("yaml")
    for text, schema in ((workflow, "github-workflows"), (job, "gitlab-ci")):
        (tmp_path / "a.yml").write_text(text)
        check_schema(schema, tmp_path / "a.yml")
        assert f"@v{VERSION}" in text
    (tmp_path / "hooks.yaml").write_text(hooks)
    (repository,) = load_config(str(tmp_path / "hooks.yaml"))["repos"]
    assert repository["rev"] == f"v{VERSION}"
    offered = yaml.safe_load((TOP / ".pre-commit-hooks.yaml").read_text())
    assert [hook["id"] for hook in repository["hooks"]] == [hook["id"] for hook in offered]
    inputs = set(re.findall(r"^\| `([a-z-]+)` \|", (TOP / "docs/ci.md").read_text("utf-8"), re.MULTILINE))
    assert set(ACTION["inputs"]) <= inputs
    Configuration.model_validate(tomllib.loads(blocks("toml")[0]))


def test_no_input_is_a_part_of_a_script() -> None:
    for step in STEPS.values():
        assert "${{" not in step.get("run", "")
    inputs = {value for step in STEPS.values() for value in step.get("env", {}).values() if "inputs." in value}
    assert inputs == {f"${{{{ inputs.{name} }}}}" for name in ACTION["inputs"] if name != "upload-sarif"}


class Runner:
    """Runs the steps that are scripts, with the files and variables that a runner gives."""

    def __init__(self, folder: Path) -> None:
        self.workspace = folder / "work"
        self.temporary = folder / "temp"
        self.output, self.summary = folder / "output", folder / "summary"
        for made in (self.workspace, self.temporary):
            made.mkdir(exist_ok=True)
        (self.workspace / ".git").mkdir(exist_ok=True)

    def outputs(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self.output.read_text().splitlines())

    def step(self, name: str, inputs: dict[str, str]) -> tuple[int, str]:
        values = {f"inputs.{key}": str(value["default"]) for key, value in ACTION["inputs"].items()}
        values |= {f"inputs.{key}": value for key, value in inputs.items()}
        values["steps.python.outputs.python-path"] = sys.executable
        if self.output.exists():
            values |= {f"steps.check.outputs.{key}": value for key, value in self.outputs().items()}

        def resolved(text: str) -> str:
            return re.sub(r"\$\{\{ (.*?) \}\}", lambda found: values.get(found[1], ""), text)

        variables = {key: resolved(value) for key, value in STEPS[name]["env"].items()}
        outside = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        script = self.temporary / "script.sh"
        script.write_text(STEPS[name]["run"])
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.workspace,
            env={
                **outside,
                "RUNNER_TEMP": str(self.temporary),
                "GITHUB_OUTPUT": str(self.output),
                "GITHUB_STEP_SUMMARY": str(self.summary),
                "GITHUB_ACTION_PATH": str(TOP),
                **variables,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def run(self, **inputs: str) -> tuple[int, str]:
        """Check, and return the verdict and the log."""
        self.output.unlink(missing_ok=True)
        named = {name.replace("_", "-"): value for name, value in inputs.items()}
        code, log = self.step("Check", named)
        assert code == 0, log
        return self.step("Verdict", named)[0], log

    def sarif(self) -> Any:
        return json.loads(Path(self.outputs()["sarif"]).read_text())["runs"][0]


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    made = Runner(tmp_path)
    (made.temporary / "tunegate").symlink_to(TOP / "typings")  # where the step before installs it
    return made


def test_a_clean_file_passes(runner: Runner) -> None:
    (runner.workspace / "a.jsonl").write_text(CHAT)
    code, log = runner.run(files="a.jsonl")
    assert code == 0, log
    assert runner.outputs()["exit-code"] == "0"
    assert {found["level"] for found in runner.sarif()["results"]} <= {"note"}
    assert runner.summary.read_text().startswith("## ✅ tunegate check: ")


def test_faults_are_annotated_uploaded_and_summed_up(runner: Runner) -> None:
    (runner.workspace / "data").mkdir()
    (runner.workspace / "data" / "a b.jsonl").write_text(CHAT + "x\n")
    (runner.workspace / "b.jsonl").write_text(CHAT + "y\n")
    code, log = runner.run(files="\ndata/*.jsonl\nb.jsonl\n")
    assert code == 1
    assert "::error file=data/a b.jsonl,line=2,col=1,title=tunegate FILE006::the line is no JSON" in log
    places = [found["locations"][0]["physicalLocation"]["artifactLocation"] for found in runner.sarif()["results"]]
    assert {"uri": "data/a%20b.jsonl", "uriBaseId": "SRCROOT"} in places
    assert "FILE006" in runner.summary.read_text()


def test_inputs_are_followed(runner: Runner) -> None:
    (runner.workspace / "a.jsonl").write_text("x\n")
    (runner.workspace / "below").mkdir()
    (runner.workspace / "below/own.toml").write_text('[data]\nfiles = ["../a.jsonl"]\nselect = ["FILE006"]\n')
    assert runner.run(config="below/own.toml")[0] == 1
    assert runner.run(files="a.jsonl", target="none")[0] == 2
    assert "sarif" not in runner.outputs(), "nothing is uploaded that an earlier call left"
    assert runner.run(files="a.jsonl", fail_at="never")[0] == 2
    assert runner.run(files="a.jsonl", baseline="none.json")[0] == 4
    assert runner.run()[0] == 2


def test_what_cannot_be_read_is_4_and_still_told(runner: Runner) -> None:
    assert runner.run(files="none.jsonl")[0] == 4
    assert runner.sarif()["invocations"][0]["executionSuccessful"] is False
    assert "none.jsonl" in runner.summary.read_text()


def test_nothing_in_inputs_names_or_data_is_obeyed(runner: Runner) -> None:
    evil = "$(touch pwned); `touch pwned` \"; touch pwned #'.jsonl"
    (runner.workspace / evil).write_text(
        '{"messages": "\\n::set-output name=x::y\\n##[add-mask]x"}\n::error::no\n'
    )
    (runner.workspace / "click.py").write_text("raise SystemExit(0)")  # would be imported in the place of ours
    (runner.workspace / "json.py").write_text("raise SystemExit(0)")
    for inputs in ({"files": evil}, {"files": "--help"}, {"config": evil}, {"target": evil}, {"baseline": evil}):
        assert runner.run(**{"files": evil, **inputs})[0] != 0
    assert not (runner.workspace / "pwned").exists()
    lines = runner.run(files=evil)[1].splitlines()
    token = lines[0].removeprefix("::stop-commands::")
    assert len(token) == 32
    commands = lines[lines.index(f"::{token}::") + 1 :]
    assert all(line.startswith(("::error file=", "::warning file=", "::notice")) for line in commands)


@pytest.mark.slow
@pytest.mark.network
def test_it_installs_itself(tmp_path: Path) -> None:
    runner = Runner(tmp_path)
    code, log = runner.step("Install tunegate", {})
    assert code == 0, log
    (runner.workspace / "a.jsonl").write_text(CHAT + "x\n")
    assert runner.run(files="a.jsonl")[0] == 1
    assert {found["ruleId"] for found in runner.sarif()["results"]} >= {"FILE006"}
