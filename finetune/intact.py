"""Whether a model on this machine is as it was made: all of it, or what can be seen at once."""

from __future__ import annotations

import json
from pathlib import Path

from tunegate.core.errors import InputError
from tunegate.core.files import explain_os_error, sha256_file
from tunegate.finetune.catalog import inspect, repair, settings_digest, source_of, tokenizer_digest, weight_files


def faults_of(folder: Path) -> list[str]:
    """Say what of a fetched model is not as it was when it was fetched; empty when all is."""
    try:
        inspect(folder)
        recorded = source_of(folder).get("files", {})
    except InputError as error:
        return [str(error)]
    return [
        f"{folder / name} is not what was fetched"
        for name, sha256 in recorded.items()
        if not (folder / name).is_file() or sha256_file(folder / name) != sha256
    ]


def look_over(folder: Path) -> None:
    """Raise InputError where a model is plainly damaged; weights are not read for it, but for their length.

    `digest` looks at every byte, which takes a while with large weights.
    """
    for path in weight_files(folder):
        if path.stat().st_size != _length_by_header(path):
            raise InputError(f"{path} is damaged: it is not as long as its header says; {repair(folder)}")
    tokenizer_digest(folder)
    settings_digest(folder)


def _length_by_header(path: Path) -> int | None:
    """Return how long a file of weights must be: a length in 8 bytes, a JSON header, and the numbers.

    The format: https://github.com/huggingface/safetensors#format. None where there is no such header.
    """
    try:
        with path.open("rb") as stream:
            header = int.from_bytes(stream.read(8), "little")
            if header > path.stat().st_size:
                return None
            tensors = json.loads(stream.read(header))
        ends = [int(tensor["data_offsets"][1]) for key, tensor in tensors.items() if key != "__metadata__"]
        return 8 + header + max(ends)
    except OSError as error:
        raise explain_os_error(error, path, "read") from error
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
