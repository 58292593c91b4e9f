"""The hyper-parameters of a training, each with one line of documentation, checked in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tunegate.core.errors import UsageError
from tunegate.core.files import read_json

if TYPE_CHECKING:
    from tunegate.core.configuration import LocalTrain

# Learning rates above this destroy a pretrained model within a few steps, whatever the method.
MAX_LEARNING_RATE = 0.1


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides a training besides model and data."""

    model: str = "smollm2-135m"
    """Catalogue name, folder, GGUF file or hub id, as it was configured."""
    method: Literal["top", "lora"] = "top"
    """`top` trains the last layers and the final norm; `lora` trains low-rank adapters in every layer."""
    name: str = "tuned"
    """What the tuned model is called in the model card."""
    epochs: int = 4
    """How often every row is seen."""
    learning_rate: float = 3e-4
    """The highest rate, reached after the warm-up; it falls linearly to 5 % of it."""
    batch_size: int = 16
    """Rows of one optimizer step."""
    optimizer: Literal["adamw", "adam"] = "adamw"
    """`adamw` decays weights apart from the gradient, `adam` through it."""
    label_smoothing: float = 0.0
    """Share of the target's probability that is spread over the vocabulary."""
    weight_decay: float = 0.0
    """How strongly the trained weights are drawn towards zero."""
    warmup: float = 0.1
    """Share of the steps in which the rate rises."""
    clip: float = 1.0
    """Largest norm of the gradient."""
    layers: int = 6
    """For `top`: how many of the last layers are trained."""
    lora_rank: int = 16
    """For `lora`: rank of the adapters."""
    lora_alpha: int = 32
    """For `lora`: the adapters are scaled by alpha / rank."""
    lora_dropout: float = 0.0
    """For `lora`: share of the adapters' inputs that is dropped in training."""
    merge: bool = False
    """Whether the whole tuned model is written too, ready for other servers."""
    seed: int = 0
    """Decides the batches, their order, and the first weights of adapters."""
    threads: int = 0
    """CPU threads; 0 = all cores. Rounding differs between thread counts."""
    max_tokens: int = 1024
    """The longest row that is taken."""
    checkpoint_steps: int = 50
    """A checkpoint is written after so many steps, and after every epoch."""

    @classmethod
    def from_configuration(cls, train: LocalTrain, max_tokens: int = 1024, folder: Path | None = None) -> Settings:
        """Take the settings of the `[train]` table, and the token limit of `[data]`.

        Where `layers` is left out, a model in `folder` that has fewer than the default is trained in all of them.
        """
        named = train.model_dump(exclude={"backend", "loss"})
        if folder is not None and "layers" not in train.model_fields_set:
            named["layers"] = min(train.layers, _layers_of(folder) or train.layers)
        return cls(**named, max_tokens=max_tokens)

    def check(self, folder: Path) -> None:
        """Raise UsageError where a setting does not fit the model in `folder`; nothing is loaded for it."""
        layers = _layers_of(folder)
        if self.method == "top" and layers is not None and not 1 <= self.layers <= layers:
            raise UsageError(
                f"[train] layers = {self.layers}: the model {self.model!r} has {layers} layers: "
                f"write a number from 1 to {layers}"
            )
        if not 0 < self.learning_rate <= MAX_LEARNING_RATE:
            raise UsageError(
                f"[train] learning_rate = {self.learning_rate}: give more than 0 and at most {MAX_LEARNING_RATE}"
            )

    def as_json(self) -> dict[str, Any]:
        """Return the settings as they stand in the result; the thread count is the machine's affair."""
        return {name: value for name, value in asdict(self).items() if name != "threads"}


def _layers_of(folder: Path) -> int | None:
    """Return how many layers a model has; None where its `config.json` does not say."""
    layers = read_json(folder / "config.json", infinite=True).get("num_hidden_layers")
    return layers if isinstance(layers, int) else None


def row_limit(settings: Settings, folder: Path) -> int:
    """Return how many tokens a row may have: what was configured, and never more than the model takes."""
    return min(settings.max_tokens, context_of(read_json(folder / "config.json", infinite=True)))


def context_of(model: Mapping[str, Any]) -> int:
    """Return how many tokens a model takes, from its `config.json`.

    Attention windows and rescaled positions begin beyond some length; rows are kept below it, because a pack would
    compute them otherwise than the model does.
    """
    rope = model.get("rope_parameters") or model.get("rope_scaling") or {}
    limits = [
        model.get("max_position_embeddings"),
        model.get("sliding_window"),
        model.get("original_max_position_embeddings"),
        rope.get("original_max_position_embeddings") if isinstance(rope, Mapping) else None,
    ]
    return min((limit for limit in limits if isinstance(limit, int) and limit > 0), default=2048)
