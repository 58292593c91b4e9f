"""`tunegate models`: the list, also on a narrow terminal, and fetching with its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tunegate.cli.main import main
from tunegate.finetune import catalog


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUNEGATE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize("arguments", [["models"], ["models", "list"]])
def test_the_list_names_every_model(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    out = capsys.readouterr().out
    heads = [line for line in out.splitlines() if not line.startswith(" ")]
    assert heads == list(catalog.MODELS)
    assert "ended 2025-08-30: use phi-4-mini" in " ".join(out.split())


@pytest.mark.parametrize("width", [30, 50, 80, 200])
def test_the_list_keeps_to_the_terminal(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    assert main(["models"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= min(width, 100)


def test_the_list_as_json(capsys: pytest.CaptureFixture[str], cache: Path) -> None:
    assert main(["models", "list", "--format", "json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["schema"] == "tunegate.models/1"
    assert content["cache"] == str(cache)
    assert [model["name"] for model in content["models"]] == list(catalog.MODELS)
    assert not any(model["on_this_machine"] for model in content["models"])


def test_fetching_prints_the_folder_and_the_list_then_knows(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "fetch", "tiny-phi3"]) == 0
    assert capsys.readouterr().out == f"{cache / 'models' / 'tiny-phi3'}\n"
    assert main(["models"]) == 0
    assert "tiny-phi3  [on this machine]" in capsys.readouterr().out


def test_a_damaged_model_is_fetched_again(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "fetch", "tiny-phi3"]) == 0
    (cache / "models" / "tiny-phi3" / "tokenizer.json").unlink()
    capsys.readouterr()

    assert main(["models", "fetch", "tiny-phi3"]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{cache / 'models' / 'tiny-phi3'}\n"
    assert "damaged: " in captured.err
    assert "fetching tiny-phi3 into" in captured.err
    assert (cache / "models" / "tiny-phi3" / "tokenizer.json").is_file()


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [("smolm2-135m", 2, "did you mean 'smollm2-135m'?"), ("./none.gguf", 4, "there is no model ./none.gguf")],
)
def test_what_cannot_be_fetched_says_why(
    name: str, code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "fetch", name]) == code
    assert says in capsys.readouterr().err


def test_no_network_ends_with_5(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    assert main(["models", "fetch", "smollm2-135m"]) == 5
    assert "Check the network and pip's settings" in capsys.readouterr().err
