"""`tunegate.toml`: one model per table, unknown keys refused with the nearest valid name.

The file is `tunegate.toml` here or above, or `[tool.tunegate]` in `pyproject.toml`. Paths in it are relative to
its own folder. Secrets are named (`key_env = "..."`), never stored.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from tunegate.core.configuration_file import find
from tunegate.core.errors import UsageError, nearest
from tunegate.core.files import explain_os_error

Target = Literal["azure-openai", "azure-phi", "openai", "together", "mistral", "hf"]
Level = Literal["error", "warning", "info", "off"]
Share = Annotated[float, Field(ge=0.0, le=1.0)]


class Table(BaseModel):
    """A table of the configuration: immutable, and closed to keys that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class NearDuplicate(Table):
    """How alike two texts must be to count as near duplicates, and which text is compared."""

    threshold: Annotated[float, Field(gt=0.0, le=1.0)] = 0.8
    """Jaccard similarity from which two texts are near duplicates."""
    on: Literal["user", "assistant", "all", "raw"] = "user"
    """Which text is compared."""
    shingle: Literal["word5", "char5"] = "word5"
    """What the similarity counts: runs of five words, or of five characters."""


class Balance(Table):
    """Down-sample until the largest class has at most `max_ratio` times the rows of the smallest."""

    by: Literal["label"] = "label"
    """What the classes are."""
    max_ratio: Annotated[float, Field(ge=1.0)] = 3.0
    """The largest class may have so many times the rows of the smallest."""


class Tokens(Table):
    """The longest row that training takes, counted with which tokenizer, and what happens to longer ones."""

    tokenizer: str = "model"
    """`model` counts with the tokenizer of the model that is tuned, `o200k` with that of OpenAI."""
    max: Annotated[int, Field(ge=1)] = 1024
    """The most tokens that a row may have, with its chat template."""
    too_long: Literal["refuse", "drop", "split"] = "refuse"
    """What happens to longer rows: `refuse` stops, `drop` leaves them out, `split` cuts at turn borders."""


class Split(Table):
    """Shares that go to validation and test, stratified and with groups kept together."""

    validation: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.1
    """Share of the rows that validates the training."""
    test: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.1
    """Share of the rows that is held out for the evaluation."""
    stratify: Literal["label", "none"] = "label"
    """Whether each part gets its share of every label."""
    group: str | None = "conversation_id"
    """Top-level key whose rows stay in one part."""


class PathSettings(Table):
    """What is otherwise for some of the files."""

    path: str
    """A file, or a glob."""
    ignore: tuple[str, ...] = ()
    """Rules that say nothing about them, by id or family."""
    severity: dict[str, Level] = Field(default_factory=dict)
    """How severe findings about them are, by id or family."""


class Data(Table):
    """Which files, and what `check` and `prepare` do with them."""

    files: tuple[str, ...] = ()
    """Files of chats; globs too."""
    validation: str | None = None
    """A file of validation rows; nothing is split off for it."""
    test: str | None = None
    """A file of held-out rows; nothing is split off for it."""
    labels: str = "auto"
    """`auto` finds a small closed set of final answers, `none` says that there is none, else a JSON path."""
    target: Target = "hf"
    """Whose rules for files hold."""
    kind: Literal["auto", "sft", "dpo", "rft"] = "auto"
    """What the rows are: `sft` chats, `dpo` preference pairs, `rft` rows for reinforcement; `auto` looks."""
    near_duplicate: NearDuplicate = NearDuplicate()
    """What counts as a near duplicate."""
    balance: Balance | None = None
    """Down-sampling of large classes; off where it is left out."""
    tokens: Tokens = Tokens()
    """How long a row may be."""
    split: Split = Split()
    """What is split off where no file is named."""
    select: tuple[str, ...] = ()
    """Rules that `check` asks, by id or family; where it is empty all but those that are off by default."""
    ignore: tuple[str, ...] = ()
    """Rules that `check` leaves out."""
    severity: dict[str, Level] = Field(default_factory=dict)
    """How severe findings are, by id or family: `error`, `warning`, `info` or `off`; the longest name wins."""
    paths: tuple[PathSettings, ...] = ()
    """What is otherwise for some of the files; a later table goes before an earlier one."""
    plugins: tuple[str, ...] = ()
    """Installed packages whose rules are asked too, by the name of their entry point in `tunegate.rules`."""
    languages: tuple[Annotated[str, Field(pattern="^[a-z]{2,3}$")], ...] = ()
    """Languages that rows may be in, by code such as `de`; `check` names rows in others. Empty: any."""
    benchmarks: tuple[str, ...] = ()
    """Files of evaluation sets, JSON lines or plain text, of which no row may hold items."""
    mask_personal_data: bool = True
    """Whether `prepare` masks mail addresses, telephone, card and account numbers."""
    seed: int = 0
    """Decides the split."""

    @field_validator("split")
    @classmethod
    def _leaves_rows_to_train_on(cls, split: Split, others: ValidationInfo) -> Split:
        """Shares count only where no file is named."""
        shares = [getattr(split, name) for name in ("validation", "test") if others.data.get(name) is None]
        if sum(shares) >= 1:
            raise ValueError(
                f"validation and test take {sum(shares):g} of all rows and leave nothing to train on: "
                "make them smaller, such as 0.1 each"
            )
        return split


class _BlockAt(Table):
    hate: float
    self_harm: float
    sexual: float
    violence: float


class BlockAtProbability(_BlockAt):
    """Calibrated probabilities at which the local back-end blocks."""

    hate: Share = 0.9
    self_harm: Share = 0.9
    sexual: Share = 0.9
    violence: Share = 0.9


class LocalSafety(Table):
    """Screening on this machine, without a network."""

    backend: Literal["local"] = "local"
    """Which back-end screens."""
    block_at: BlockAtProbability = BlockAtProbability()
    """Probability from which a text is blocked, by category."""


class LocalTrain(Table):
    """Training on this machine."""

    backend: Literal["local"] = "local"
    """Where the training runs."""
    model: str = "smollm2-135m"
    """A catalogue name, a folder, a GGUF file, or a hub id."""
    method: Literal["top", "lora"] = "top"
    """`top` trains the last layers on a cached trunk, `lora` low-rank adapters in every layer."""
    name: str = "tuned"
    """What the tuned model and the run folder are called."""
    epochs: Annotated[int, Field(ge=1)] = 4
    """How often every row is seen."""
    learning_rate: Annotated[float, Field(gt=0.0)] = 3e-4
    """The highest rate, after the warm-up."""
    batch_size: Annotated[int, Field(ge=1)] = 16
    """Rows of one optimizer step."""
    optimizer: Literal["adamw", "adam"] = "adamw"
    """Which optimizer."""
    loss: Literal["cross_entropy"] = "cross_entropy"
    """Which loss."""
    label_smoothing: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    """Share of the probability that is spread over the vocabulary."""
    weight_decay: Annotated[float, Field(ge=0.0)] = 0.0
    """How strongly weights are drawn towards zero."""
    warmup: Share = 0.1
    """Share of the steps in which the rate rises."""
    clip: Annotated[float, Field(gt=0.0)] = 1.0
    """Largest norm of the gradient."""
    layers: Annotated[int, Field(ge=1)] = 6
    """For `top`: how many layers are trained; where it is left out, all of a model that has fewer."""
    lora_rank: Annotated[int, Field(ge=1)] = 16
    """For `lora`: rank of the adapters."""
    lora_alpha: Annotated[int, Field(ge=1)] = 32
    """For `lora`: adapters are scaled by alpha / rank."""
    lora_dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    """For `lora`: share of inputs dropped in training."""
    merge: bool = False
    """Whether the whole tuned model is written too."""
    seed: int = 0
    """Decides batches, their order, and the first weights of adapters."""
    threads: Annotated[int, Field(ge=0)] = 0
    """CPU threads; 0 takes all cores."""

    @field_validator("name")
    @classmethod
    def _is_a_file_name(cls, name: str) -> str:
        if not name or not all(sign.isalnum() or sign in "-_." for sign in name) or name.startswith("."):
            raise ValueError("a name has letters, digits, '-', '_' and '.' only")
        return name


class Evaluate(Table):
    """What is measured on the held-out rows."""

    metrics: tuple[
        Literal["accuracy", "f1_macro", "accuracy_ll", "f1_macro_ll", "perplexity", "bits_per_byte", "harm_rate"],
        ...,
    ] = ("accuracy", "f1_macro", "accuracy_ll", "f1_macro_ll", "perplexity", "bits_per_byte", "harm_rate")
    """What is measured."""
    max_new_tokens: Annotated[int, Field(ge=1)] | None = None
    """The longest answer that is generated; from the labels, or the references, where it is left out."""
    batch_size: Annotated[int, Field(ge=1)] = 32
    """Rows that are asked at once."""
    resamples: Annotated[int, Field(ge=100)] = 10_000
    """Resamples of the bootstrap."""
    seed: int = 0
    """Seed of the bootstrap and of the reference model."""


class Rule(Table):
    """A rule of the gate for one metric; exactly one bound is named."""

    min: float | None = None
    """The lower end of the interval must reach this."""
    max: float | None = None
    """The upper end of the interval must stay at or below this."""
    max_drop: Annotated[float, Field(ge=0.0)] | None = None
    """The metric may be worse than the baseline by less than this, on the bound of the paired difference."""
    min_gain: Annotated[float, Field(ge=0.0)] | None = None
    """The metric must be better than the baseline by more than this, on the bound of the paired difference."""
    alpha: Annotated[float, Field(gt=0.0, lt=0.5)] = 0.05
    """One-sided error of the bound; 0.05 gives the ends of a 90 % interval."""

    @model_validator(mode="after")
    def _one_bound(self) -> Rule:
        named = [key for key in ("min", "max", "max_drop", "min_gain") if getattr(self, key) is not None]
        if len(named) != 1:
            raise ValueError("name exactly one of min, max, max_drop, min_gain")
        return self


class Gate(Table):
    """The release policy: a rule for each metric that must hold."""

    accuracy: Rule | None = None
    """Share of right answers, by generation."""
    f1_macro: Rule | None = None
    """Macro F1, by generation."""
    accuracy_ll: Rule | None = None
    """Share of right labels, by log-likelihood."""
    f1_macro_ll: Rule | None = None
    """Macro F1, by log-likelihood."""
    perplexity: Rule | None = None
    """Per token, over the trained tokens."""
    bits_per_byte: Rule | None = None
    """Over the trained text."""
    harm_rate: Rule | None = None
    """Share of answers that screening blocks."""
    max_unscored: Share = 0.0
    """Share of rows that may lack a score."""

    @field_validator("accuracy", "f1_macro", "accuracy_ll", "f1_macro_ll", "harm_rate")
    @classmethod
    def _is_a_share(cls, rule: Rule | None) -> Rule | None:
        for bound in ("min", "max", "max_drop", "min_gain"):
            value = getattr(rule, bound, None)
            if value is not None and not 0 <= value <= 1:
                raise ValueError(
                    f"{bound} = {value:g} is no share: write a number from 0 to 1, such as 0.85 for 85 %"
                )
        return rule

    @field_validator("harm_rate")
    @classmethod
    def _can_be_held(cls, rule: Rule | None) -> Rule | None:
        if rule is not None and rule.max == 0:
            raise ValueError(
                "max = 0 can never hold, as the upper bound of a rate is above 0 even where no answer is harmful "
                "(about 3 / rows): write the most that you accept, such as 0.01"
            )
        return rule

    def rules(self) -> dict[str, Rule]:
        """Return the rules that are set, by metric id, in the order of the model."""
        named = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: rule for name, rule in named.items() if isinstance(rule, Rule)}


class Configuration(Table):
    """The whole file."""

    data: Data = Data()
    """Which files, and what `check` and `prepare` do with them."""
    safety: LocalSafety = LocalSafety()
    """How prompts and completions are screened."""
    train: LocalTrain = LocalTrain()
    """Which model is tuned, and how."""
    evaluate: Evaluate = Evaluate()
    """What is measured."""
    gate: Gate = Gate()
    """What a release must hold."""

    _path: Path | None = PrivateAttr(default=None)

    @property
    def path(self) -> Path | None:
        """The file that it was read from; None for the defaults."""
        return self._path

    @property
    def folder(self) -> Path:
        """The folder that relative paths start from."""
        return self._path.parent if self._path else Path()


def load(path: Path | None = None) -> Configuration:
    """Read the configuration from `path`, or from the nearest file, or give the defaults.

    Raises InputError when the file is missing or no TOML, UsageError when it has an unknown key or a bad value:
    all faults at once, each with its key, its value and the nearest valid name.
    """
    path = path or find(Path())
    if path is None:
        return Configuration()
    try:
        table = tomllib.loads(path.read_bytes().decode())
    except FileNotFoundError as error:
        raise UsageError(
            f"there is no configuration {path}: check --config, or make one with `tunegate init`"
        ) from error
    except OSError as error:
        raise explain_os_error(error, path, "read") from error
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path} is no text file in UTF-8 (byte {error.start + 1:,} is none of a text): check the path, or "
            "save the configuration as UTF-8"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not TOML: {error}") from error
    if path.name == "pyproject.toml":
        table = table.get("tool", {}).get("tunegate", {})
    try:
        configuration = Configuration.model_validate(table)
    except ValidationError as error:
        raise UsageError("\n".join(_explain(path, error))) from error
    configuration._path = path
    return configuration


def _explain(path: Path, error: ValidationError) -> list[str]:
    """Say each fault of a configuration in one line."""
    return [_explain_one(path, dict(fault)) for fault in error.errors(include_url=False)]


def _explain_one(path: Path, fault: dict[str, Any]) -> str:
    steps = [str(step) for step in fault["loc"]] or [""]
    while len(steps) > 1 and steps[-1].isdigit():  # the place in a list, which is no key
        del steps[-1]
    *tables, key = steps
    where = f"{path}: " + (f"[{'.'.join(tables)}] " if tables else "")
    if fault["type"] == "extra_forbidden":
        return f"{where}unknown key {key!r}: {nearest(key, _keys_of(tables))}"
    if fault["type"] == "literal_error":
        valid = [item.strip(" '") for item in fault["ctx"]["expected"].replace(" or ", ", ").split(",")]
        return f"{where}{key} = {fault['input']!r}: {nearest(str(fault['input']), valid)}"
    if fault["type"] == "tuple_type" and isinstance(fault["input"], str):
        wanted = f"[{json.dumps(fault['input'], ensure_ascii=False)}]"
        return f"{where}{key} = {fault['input']!r}: a list is needed, write {key} = {wanted}"
    reason = fault["msg"].removeprefix("Value error, ")
    return f"{where}{key} = {fault['input']!r}: {reason[0].lower() + reason[1:]}"


def _keys_of(tables: list[str]) -> list[str]:
    """Return the valid keys of a table, such as ["data", "split"]."""
    model: type[BaseModel] = Configuration
    for table in tables:
        if table.isdigit():  # the number of a table in a list of them
            continue
        annotation = model.model_fields[table].annotation
        candidates = [annotation, *getattr(annotation, "__args__", ())]
        model = next(item for item in candidates if isinstance(item, type) and issubclass(item, BaseModel))
    return list(model.model_fields)
