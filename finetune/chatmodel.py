"""Base and tuned model, loaded as a pair that shares what training left alone.

With `top` that is the trunk: its layers are in memory once, and when both models score the same answers they run
once. With `lora` it is everything but the adapters, which are switched off for the base.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunegate.core.errors import InputError
from tunegate.core.extras import need
from tunegate.core.files import read_json, sha256_json
from tunegate.finetune import catalog
from tunegate.finetune.settings import context_of
from tunegate.finetune.template import ChatTemplate
from tunegate.finetune.train import read_record

if TYPE_CHECKING:
    import torch

    from tunegate.finetune.localmodel import LocalModel
    from tunegate.finetune.stack import Stack


def load_pair(model_folder: Path, adapter_folder: Path, threads: int = 0) -> tuple[LocalModel, LocalModel]:
    """Load a base and its tuned version, which share the weights that training left alone.

    Raises InputError when the adapter is missing, damaged, or belongs to another base.
    """
    for package in ("torch", "transformers"):
        need(package, "train")
    from tunegate.finetune.hardware import find_hardware
    from tunegate.finetune.localmodel import LocalModel, Trunk
    from tunegate.finetune.stack import load_stack
    from tunegate.finetune.tensors import read_tensors

    record = read_record(adapter_folder)
    digest = catalog.digest(model_folder)
    if record["base"]["sha256"] != digest:
        raise InputError(
            f"the adapter in {adapter_folder} was made for {record['base']['id']!r} with SHA-256 "
            f"{record['base']['sha256'][:12]}, and {model_folder} has {digest[:12]}: train again, or name its base"
        )
    stack = load_stack(model_folder, find_hardware())
    tensors, _ = read_tensors(adapter_folder / record["file"])
    shared: dict[str, Any] = {
        "template": ChatTemplate.from_folder(model_folder),
        "context": context_of(read_json(model_folder / "config.json", infinite=True)),
        "threads": threads,
    }
    names = {"name": record["base"]["id"], "digest": digest}
    tuned_names = {"name": record["name"], "digest": sha256_json([digest, record["sha256"]])}
    if record["method"] == "lora":
        from tunegate.finetune.lora import load_adapters

        model = load_adapters(stack, adapter_folder)
        shared |= {"trunk": Trunk(stack, 0), "layers": stack.layers, "norm": stack.norm}
        return (
            LocalModel(**names, **shared, adapters_off=model.disable_adapter),
            LocalModel(**tuned_names, **shared),
        )
    split = min(record["layers"])
    layers, norm = _tuned_copy(stack, split, tensors)
    shared["trunk"] = Trunk(stack, split)
    return (
        LocalModel(**names, **shared, layers=stack.layers[split:], norm=stack.norm),
        LocalModel(**tuned_names, **shared, layers=layers, norm=norm),
    )


def _tuned_copy(stack: Stack, split: int, tensors: Mapping[str, torch.Tensor]) -> tuple[list[Any], Any]:
    """Return copies of the upper layers and the norm with the adapter's tensors in them."""
    layers, norm = copy.deepcopy(stack.layers[split:]), copy.deepcopy(stack.norm)
    names = {id(parameter): name for name, parameter in stack.model.named_parameters()}
    left = set(tensors)
    for mine, theirs in zip((*layers, norm), (*stack.layers[split:], stack.norm), strict=True):
        for parameter, original in zip(mine.parameters(), theirs.parameters(), strict=True):
            name = names[id(original)]
            if name not in tensors or tensors[name].shape != parameter.shape:
                raise InputError(f"the adapter has no fitting tensor {name}: train again")
            parameter.data = tensors[name].to(parameter)
            left.discard(name)
    if left:
        raise InputError(f"the adapter has tensors that the model does not: {_some(sorted(left))}")
    return layers, norm


def _some(first: Sequence[str]) -> str:
    return ", ".join(first[:3]) + (f" and {len(first) - 3} more" if len(first) > 3 else "")
