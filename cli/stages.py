"""The stages of a run, each done once: what it reads, what it writes, and when it is done again.

Every stage takes the run and the configuration. It is skipped when nothing that it reads has changed; the commands
and `tunegate run` call the same functions. A stage whose forerunner is missing says which command makes it.

    check, prepare -> screen -> train -> evaluate -> gate -> report
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tunegate.cli.common import data_of_rules, progress, say, token_counting
from tunegate.core.errors import InputError, ProviderError, TunegateError, UsageError
from tunegate.core.files import explain_os_error, sha256_file
from tunegate.core.ledger import Entry, read_ledger, write_ledger
from tunegate.core.runs import Run, stage_key

if TYPE_CHECKING:
    from tunegate.core.configuration import Configuration
    from tunegate.finetune.settings import Settings
    from tunegate.safety.screen import Screener

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")

# What `prepare` made lies here; `data/` and `ledger.jsonl` are what screening left of it.
PREPARED = (".stages", "prepared")


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        """The seconds so far."""
        return time.monotonic() - self._start


def source_files(configuration: Configuration, named: Iterable[Path] = ()) -> dict[Split, list[Path]]:
    """Return the files of each split: those named, or `[data]`; validation and test from `[data]` alone."""
    from tunegate.cli.common import data_files

    data = configuration.data
    files: dict[Split, list[Path]] = {"train": data_files(list(named), configuration)}
    if data.validation is not None:
        files["validation"] = [configuration.folder / data.validation]
    if data.test is not None:
        files["test"] = [configuration.folder / data.test]
    return files


def model_folder(configuration: Configuration) -> Path:
    """Return the folder of the model that is tuned. Raises InputError when it is not on this machine."""
    from tunegate.finetune.catalog import resolve

    return resolve(configuration.train.model, relative_to=configuration.folder)


def _digests(files: Mapping[Split, Iterable[Path]]) -> dict[str, str]:
    return {
        f"{split}/{number}/{path.name}": sha256_file(path)
        for split, paths in files.items()
        for number, path in enumerate(paths)
    }


def _tokenizer(configuration: Configuration) -> dict[str, str]:
    """Return the digest of the model's tokenizer where lengths are counted with it and it is on this machine."""
    from tunegate.finetune import catalog

    if configuration.data.tokens.tokenizer != "model":
        return {}
    try:
        return {"tokenizer": catalog.tokenizer_digest(model_folder(configuration))}
    except (TunegateError, OSError):
        return {}


def _plugins(configuration: Configuration) -> dict[str, str]:
    """Return the versions of the packages that bring rules."""
    if not configuration.data.plugins:
        return {}
    from tunegate.dataqa.plugins import versions

    return {f"plugin/{name}": version for name, version in versions(configuration.data.plugins).items()}


def check(run: Run, configuration: Configuration, named: Iterable[Path] = ()) -> dict[str, Any]:
    """Check the source files as one set; findings are counted here and listed by `tunegate check`."""
    files = source_files(configuration, named)
    benchmarks = data_of_rules(configuration).benchmarks
    inputs = _digests(files) | _tokenizer(configuration) | _plugins(configuration)
    inputs |= {f"benchmark/{number}": sha256_file(Path(path)) for number, path in enumerate(benchmarks)}
    key = stage_key(inputs, configuration.data.model_dump(mode="json"), "dataqa")
    if not run.is_done("check", key):
        from tunegate.dataqa.check import DataFile, check, settings_of
        from tunegate.dataqa.check_result import section

        watch = Stopwatch()
        with progress("check"):
            sources = [DataFile(path, split) for split, paths in files.items() for path in paths]
            data, folder = data_of_rules(configuration), configuration.folder
            settings = settings_of(data, token_counting(configuration), folder)
            made = section(check(sources, settings), relative_to=configuration.folder)
        run.finish("check", key, [], made, watch.seconds)
    return run.section("check")


def prepare(run: Run, configuration: Configuration, named: Iterable[Path] = ()) -> dict[str, Any]:
    """Clean, deduplicate, balance and split the source files into `data/`, with `ledger.jsonl`."""
    from tunegate.finetune import catalog

    files = source_files(configuration, named)
    model = model_folder(configuration) if configuration.data.tokens.tokenizer == "model" else None
    inputs = _digests(files) | _plugins(configuration)
    inputs |= {"tokenizer": catalog.tokenizer_digest(model)} if model else {}
    key = stage_key(inputs, configuration.data.model_dump(mode="json"), "dataqa")
    prepared = run.path(*PREPARED)
    if not run.is_done("prepare", key):
        from tunegate.dataqa.prepare import prepare
        from tunegate.dataqa.tokens import counter

        watch = Stopwatch()
        shutil.rmtree(prepared, ignore_errors=True)
        with progress("prepare") as advance, nothing_left_of(prepared):
            made = prepare(
                files["train"],
                next(iter(files.get("validation", [])), None),
                next(iter(files.get("test", [])), None),
                configuration.data,
                counter(configuration.data.tokens.tokenizer, model),
                prepared,
                advance,
                relative_to=configuration.folder,
            )
        written = [path for path in prepared.rglob("*") if path.is_file()]
        _publish(run, prepared)
        run.finish("prepare", key, written, made.section, watch.seconds)
    return run.section("prepare")


@contextlib.contextmanager
def nothing_left_of(folder: Path) -> Iterator[None]:
    """Remove a folder when the block that fills it fails: a part of its files is of no use."""
    try:
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _publish(run: Run, prepared: Path) -> None:
    """Copy what `prepare` made to where users look; screening replaces it by what it lets through."""
    from tunegate.core.files import write_bytes

    for split in SPLITS:
        target = run.path("data", f"{split}.jsonl")
        source = prepared / "data" / f"{split}.jsonl"
        if source.exists():
            write_bytes(target, source.read_bytes())
        else:
            target.unlink(missing_ok=True)
    write_bytes(run.path("ledger.jsonl"), prepared.joinpath("ledger.jsonl").read_bytes())


def screen(run: Run, configuration: Configuration) -> dict[str, Any]:
    """Screen the prepared rows; blocked ones leave `data/` with a ledger entry.

    Raises ProviderError when rows could not be judged: nothing unscreened goes on.
    """
    run.section("prepare")
    prepared = run.path(*PREPARED)
    if changed := run.changed_files("prepare"):
        raise InputError(f"{run.folder}: {', '.join(changed)} changed since `tunegate prepare`: prepare again")
    sources = [path for split in SPLITS if (path := prepared / "data" / f"{split}.jsonl").exists()]
    screener, settings = _screener(configuration)
    ledger = prepared / "ledger.jsonl"
    inputs = {path.name: sha256_file(path) for path in [*sources, ledger]}
    key = stage_key(inputs, settings, "safety")
    if not run.is_done("screen", key):
        from tunegate.core.jsonl import read_rows
        from tunegate.safety.screen import screen_file

        watch = Stopwatch()
        out = run.path("safety.jsonl")
        with progress("screen") as advance:
            made = screen_file(
                sources, screener, configuration.safety.block_at.model_dump(), out, advance, relative_to=prepared
            )
        decisions = {(row["path"], row["line"]): row for row in read_rows(out)}
        dropped: list[Entry] = []
        written = [out, run.path("ledger.jsonl")]
        for source in sources:
            written.append(_let_through(run, source, decisions, dropped))
        write_ledger(run.path("ledger.jsonl"), [*read_ledger(ledger), *dropped])
        if not made["rows_error"]:
            run.finish("screen", key, written, made, watch.seconds)
        else:
            raise ProviderError(_not_judged(decisions.values(), screener.name, prepared, out))
    return run.section("screen")


def _not_judged(decisions: Iterable[Mapping[str, Any]], screener: str, prepared: Path, out: Path) -> str:
    """Say which rows could not be judged: those that never can be come first, as no other try helps them."""
    failed = [row for row in decisions if row["decision"] == "error"]
    # a row whose texts could not even be taken out of it has no message that the back-end failed on
    hopeless = [row for row in failed if not row["where"]]
    first = (hopeless or failed)[0]
    place = f"{prepared / first['path']}:{first['line']}"
    remedy = "mend or take out the row, and prepare again" if hopeless else "start again to try once more"
    return (
        f"{place} could not be judged by {screener}: {first['reason']}; {remedy}. "
        f"{len(failed)} such rows have decision 'error' in {out}. Nothing unscreened goes into training"
    )


def _screener(configuration: Configuration) -> tuple[Screener, dict[str, Any]]:
    """Return the configured screener, and what its judgement depends on: its settings and its own digest."""
    from tunegate.safety.screen import BACKENDS

    screener = BACKENDS[configuration.safety.backend](configuration.safety)
    return screener, configuration.safety.model_dump(mode="json") | {"model": screener.describe()["model"]}


def _let_through(
    run: Run, source: Path, decisions: Mapping[tuple[str, int], Mapping[str, Any]], dropped: list[Entry]
) -> Path:
    """Write the rows of one prepared file that screening did not block, byte for byte as they were."""
    from tunegate.core.files import replacing
    from tunegate.core.lines import read_lines

    target = run.path("data", source.name)
    kept = 0
    with replacing(target) as stream:
        for line in read_lines(source):
            decision = decisions[f"data/{source.name}", line.number]
            if decision["decision"] in ("allow", "flag"):
                stream.write(line.raw + b"\n")
                kept += 1
                continue
            over = [name for name, score in decision["categories"].items() if score["blocked"]]
            reason = "screening: " + (
                ", ".join(over) if decision["decision"] == "block" else "could not be judged"
            )
            dropped.append(Entry(decision["row_id"], decision["path"], line.number, "dropped", "SAFE001", reason))
    if not kept and source.stem != "validation":
        raise InputError(f"screening left no row of {source.name}: look at {run.path('safety.jsonl')}")
    return target


def data_digests(run: Run) -> dict[str, str]:
    """Return the digests of the screened data. Raises InputError when it was not screened, or changed since."""
    run.section("prepare")
    run.section("screen")
    if changed := run.changed_files("screen"):
        raise InputError(f"{run.folder}: {', '.join(changed)} changed since `tunegate screen`: screen again")
    return {
        f"{split}.jsonl": sha256_file(run.path("data", f"{split}.jsonl"))
        for split in SPLITS
        if run.path("data", f"{split}.jsonl").exists()
    }


def train_settings(configuration: Configuration, model: Path) -> Settings:
    """Return the settings of a training, fitted to the model. Raises UsageError where they do not fit it."""
    from tunegate.finetune.settings import Settings

    settings = Settings.from_configuration(configuration.train, configuration.data.tokens.max, model)
    try:
        settings.check(model)
    except UsageError as error:
        raise UsageError(f"{configuration.path}: {error}") from error
    return settings


def _say_layers(settings: Settings, configuration: Configuration) -> None:
    if settings.method == "top" and settings.layers != configuration.train.layers:
        say(f"note: layers = {settings.layers}: these are all that the model {settings.model!r} has")


def train(run: Run, configuration: Configuration) -> dict[str, Any]:
    """Tune the model on the screened data of the run, into `model/`; a killed training goes on."""
    from tunegate.finetune import catalog

    digests = data_digests(run)
    model = model_folder(configuration)
    inputs = {"model": catalog.digest(model), "train.jsonl": digests["train.jsonl"]}
    if "validation.jsonl" in digests:
        inputs["validation.jsonl"] = digests["validation.jsonl"]
    # The name does not change what is learned, and threads are the machine's affair.
    settings = configuration.train.model_dump(mode="json", exclude={"threads"}) | {
        "max_tokens": configuration.data.tokens.max
    }
    key = stage_key(inputs, settings, "finetune")
    if not run.is_done("train", key):
        from tunegate.finetune.train import train

        settled = train_settings(configuration, model)
        _say_layers(settled, configuration)
        watch = Stopwatch()
        with progress("train") as advance:
            made = train(
                settled,
                model,
                run.path("data", "train.jsonl"),
                run.path("data", "validation.jsonl") if "validation.jsonl" in digests else None,
                run.path("model"),
                advance,
                key=key,
            )
        written = [path for path in run.path("model").rglob("*") if path.is_file()]
        run.finish("train", key, written, made, watch.seconds)
    return run.section("train")


def evaluate(run: Run, configuration: Configuration) -> dict[str, Any]:
    """Measure base, tuned and the reference on the held-out rows; writes `samples.jsonl.gz` and `result.json`."""
    from tunegate.cli.result import write_result
    from tunegate.finetune import catalog

    digests = data_digests(run)
    trained = run.section("train")
    if changed := run.changed_files("train"):
        raise InputError(f"{run.folder}: {', '.join(changed)} changed since `tunegate train`: train again")
    held_out = "test" if "test.jsonl" in digests else "validation"
    if f"{held_out}.jsonl" not in digests:
        raise InputError(f"{run.folder} has neither test nor validation rows: set split or test under [data]")
    model = model_folder(configuration)
    inputs = digests | {"model": catalog.digest(model), "adapter": trained["adapter_sha256"]}
    settings = configuration.evaluate.model_dump(mode="json") | {
        "safety": _screener(configuration)[1],
        "held_out": held_out,
    }
    key = stage_key(inputs, settings, "evals", "safety", "finetune")
    if not run.is_done("evaluate", key):
        made, seconds = _measure(run, configuration, model, held_out, key)
        run.finish("evaluate", key, [run.path("samples.jsonl.gz")], made, seconds)
    write_result(run, configuration)
    return run.section("evaluate")


def _measure(
    run: Run, configuration: Configuration, model: Path, held_out: str, key: str
) -> tuple[dict[str, Any], float]:
    from tunegate.evals.evaluate import evaluate
    from tunegate.finetune.chatmodel import load_pair
    from tunegate.safety.screen import verdicts

    watch = Stopwatch()
    work = run.path(".stages", f"evaluate-{key[:16]}")
    for old in run.path(".stages").glob("evaluate-*"):
        if old != work:
            shutil.rmtree(old, ignore_errors=True)
    screener, _ = _screener(configuration)
    block_at = configuration.safety.block_at.model_dump()
    base, tuned = load_pair(model, run.path("model"), configuration.train.threads)
    labels = run.section("prepare").get("labels")
    with progress("evaluate") as advance:
        made = evaluate(
            run.path("data", f"{held_out}.jsonl"),
            run.path("data", "train.jsonl"),
            tuple(labels) if labels else None,
            base,
            tuned,
            lambda texts: verdicts(texts, screener, block_at),
            configuration.evaluate,
            work,
            run.path("samples.jsonl.gz"),
            advance,
        )
    return made, watch.seconds


def gate(run: Run, configuration: Configuration, baseline: Run | None = None) -> dict[str, Any]:
    """Decide by the policy and put checks and verdict into `result.json`; returns the result.

    Raises InputError when there is no result, UsageError when the policy is empty. Evidence that changed since it
    was measured makes the verdict an error.
    """
    from tunegate.core.files import write_json
    from tunegate.evals.gate import decide

    result = run.result()
    for name in ("checks", "waivers", "verdict", "baseline"):
        result.pop(name, None)
    faults = integrity_faults(run, result)
    if baseline:
        faults += [f"the baseline: {fault}" for fault in integrity_faults(baseline, baseline.result())]
    result |= decide(
        result,
        configuration.gate,
        baseline.result() if baseline else None,
        faults=faults,
        samples=_samples(run),
        baseline_samples=_samples(baseline) if baseline else None,
    )
    write_json(run.path("result.json"), result)
    return result


def _samples(run: Run) -> list[dict[str, Any]]:
    """Return the samples of a run; none where they are missing or damaged, which `integrity_faults` says."""
    from tunegate.core.jsonl import read_rows

    with contextlib.suppress(InputError):
        return list(read_rows(run.path("samples.jsonl.gz")))
    return []


def integrity_faults(run: Run, result: Mapping[str, Any]) -> list[str]:
    """Say what of the evidence is not as it was when the run was measured; empty when all is."""
    from tunegate.evals.integrity import file_faults

    faults = file_faults(result, run.folder)
    for stage in ("prepare", "screen", "train", "evaluate"):
        if run.record(stage) is None:
            faults.append(f"the run has no {stage!r} stage")
        faults += [f"{name} changed after `tunegate {stage}`" for name in run.changed_files(stage)]
    if (measured := run.record("evaluate")) is not None:
        faults += [
            f"{name!r} in result.json is not what was measured: evaluate again"
            for name, value in measured["section"].items()
            if result.get(name) != value
        ]
    adapter = (result.get("subject") or {}).get("adapter_sha256")
    if run.record("train") is not None and adapter != run.section("train")["adapter_sha256"]:
        faults.append("result.json speaks of another adapter than the one in model/")
    return faults


def report(run: Run) -> Path:
    """Write the run as `report.html` and return its path."""
    from tunegate.core.files import write_bytes
    from tunegate.reports.html import render
    from tunegate.reports.sources import load

    page = render(*load(run))
    path = run.path("report.html")
    write_bytes(path, page.encode())
    return path


def sweep(run: Run) -> None:
    """Remove what a killed run left half-written: temporary files that were never renamed."""
    for path in run.folder.rglob(".*.tmp"):
        path.unlink(missing_ok=True)
        say(f"removed {path}, left over from an interrupted run")


def dry_run(run: Run, configuration: Configuration) -> list[str]:
    """Say what `train` would do with the run's data, without training."""
    from tunegate.finetune.train import dry_run

    data_digests(run)
    model = model_folder(configuration)
    settings = train_settings(configuration, model)
    _say_layers(settings, configuration)
    made = dry_run(settings, model, run.path("data", "train.jsonl"))
    rows, tokens = made["rows"], made["tokens"]
    return [
        f"model     {configuration.train.model}, method {configuration.train.method}",
        f"rows      {rows['used']} used, {rows['cut']} cut, {rows['dropped']} dropped, "
        f"{rows['fully_masked']} without a trained token",
        f"tokens    {tokens['trained']} trained, {tokens['masked']} masked, in each of "
        f"{configuration.train.epochs} epochs",
        f"steps     {made['steps']}",
    ]


PIPELINE = {"check": check, "prepare": prepare, "screen": screen, "train": train, "evaluate": evaluate}


@contextlib.contextmanager
def announced(run: Run, name: str) -> Iterator[None]:
    """Say when a stage begins and what it took, or that nothing had changed."""
    before = run.record(name)
    watch = Stopwatch()
    yield
    if run.record(name) == before and watch.seconds < 60:
        say(f"{name:<9} unchanged")
    else:
        say(f"{name:<9} {watch.seconds:6.1f} s")


@contextlib.contextmanager
def holding(run: Run) -> Iterator[None]:
    """Hold a run folder, so that two processes never write into it at once; sweep what a killed one left."""
    try:
        import fcntl
    except ImportError:  # Windows has no flock: nothing is held there
        sweep(run)
        yield
        return
    lock = run.path(".stages", "lock")
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        stream = lock.open("a")
    except OSError as error:
        raise explain_os_error(error, lock, "write") from error
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(
                f"another tunegate is at work in {run.folder}: wait for it, or take another run folder"
            ) from None
        sweep(run)
        yield
