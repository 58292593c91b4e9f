"""Files that are written whole or not at all, and their digests."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

from tunegate.core.errors import InputError, PlaceError

_REPAIRS = {
    errno.ENOSPC: "the disk is full: free some space and start again",
    errno.EDQUOT: "the disk quota is used up: free some space and start again",
    errno.EACCES: "no permission: change the permissions, or take another place",
    errno.EPERM: "no permission: change the permissions, or take another place",
    errno.EROFS: "the file system is read-only: take another place",
    errno.ENOENT: "it does not exist: check the path",
    errno.EISDIR: "it is a folder, and a file is needed",
    errno.ENOTDIR: "a part of the path is a file, and a folder is needed",
    errno.EFBIG: "the file would be larger than the system allows: free some space or raise the limit",
}

# These speak of the place and not of what goes there: another one would do.
_OF_THE_PLACE = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS)


def explain_os_error(error: OSError, path: str | os.PathLike[str], doing: str) -> InputError:
    """Turn an OSError into an InputError that says what could not be done, where, and what helps."""
    repair = _REPAIRS.get(error.errno or 0, error.strerror or str(error) or type(error).__name__)
    kind = PlaceError if doing.startswith("write") and error.errno in _OF_THE_PLACE else InputError
    return kind(f"cannot {doing} {os.fspath(path)}: {repair}")


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for writing that takes the place of `path` only when the block ends well.

    The bytes go to a file beside it, reach the disk, and are renamed; after an error or a kill the
    old file is as it was. What a link points to is written, and the link stays. A device or a pipe, such as
    /dev/stdout, takes the bytes as they come: nothing may ever stand in its place. Raises InputError for a full
    disk, a read-only folder and the like.
    """
    target = path.resolve() if path.is_symlink() else path
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        if target.exists() and not target.is_file() and not target.is_dir():
            with target.open("wb", buffering=0) as stream:
                yield cast(IO[bytes], stream)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        with contextlib.suppress(FileNotFoundError):
            temporary.chmod(target.stat().st_mode)
        temporary.replace(target)
    except OSError as error:
        raise explain_os_error(error, path, "write") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path`, whole or not at all."""
    with replacing(path) as stream:
        stream.write(content)


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented UTF-8 JSON with sorted keys; NaN and Infinity are refused."""
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False)
    write_bytes(path, text.encode() + b"\n")


def read_json(path: Path, *, infinite: bool = False) -> Any:
    """Read a JSON file; raises InputError that names the file when it is missing or broken.

    NaN and Infinity are no JSON and we never write them, so they are damage; `infinite` lets them be, for files
    that other programs wrote.
    """
    number = float if infinite else _finite
    try:
        return json.loads(path.read_bytes(), parse_float=number, parse_constant=number)
    except OSError as error:
        raise explain_os_error(error, path, "read") from error
    except _NoNumberError as error:
        raise InputError(f"{path} is damaged: it holds {error}, which is no number; make it again") from error
    except ValueError as error:
        raise InputError(f"{path} is not JSON ({error}): it is damaged, make it again") from error


class _NoNumberError(ValueError):
    """JSON holds NaN or Infinity, or a number beyond all bounds, which is read as that."""


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise _NoNumberError(text)
    return value


def sha256_bytes(content: bytes) -> str:
    """Return the SHA-256 of `content` as 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def sha256_file(path: Path, size: int | None = None) -> str:
    """Return the SHA-256 of a file, or of its first `size` bytes, as 64 hexadecimal digits."""
    try:
        with path.open("rb") as stream:
            if size is None:
                return hashlib.file_digest(stream, "sha256").hexdigest()
            digest, left = hashlib.sha256(), size
            while left and (chunk := stream.read(min(left, 1 << 20))):
                digest.update(chunk)
                left -= len(chunk)
            return digest.hexdigest()
    except OSError as error:
        raise explain_os_error(error, path, "read") from error


def sha256_json(value: Any) -> str:
    """Return the SHA-256 of a value's canonical JSON: sorted keys, no white space, UTF-8."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return sha256_bytes(text.encode())
