from __future__ import annotations

import contextlib
import errno
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tunegate.core.errors import InputError, PlaceError
from tunegate.core.files import (
    explain_os_error,
    read_json,
    replacing,
    sha256_file,
    sha256_json,
    write_bytes,
    write_json,
)


def test_an_error_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_bytes(path, b"old")

    with contextlib.suppress(RuntimeError), replacing(path) as stream:
        stream.write(b"half")
        raise RuntimeError

    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_permissions_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_bytes(path, b"1")
    path.chmod(0o640)
    write_bytes(path, b"2")
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    # /dev/full is a device that is always full; a file-size limit stops the write in the same place.
    code = (
        "import pathlib, resource, signal, sys\n"
        "from tunegate.core.files import write_bytes\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        f"write_bytes(pathlib.Path({str(tmp_path / 'big')!r}), b'x' * 100_000)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode
    assert "InputError" in done.stderr
    assert "free some space" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device /dev/full")
def test_enospc_is_explained() -> None:
    with pytest.raises(OSError) as caught, open("/dev/full", "wb", buffering=0) as stream:  # noqa: PT011, PTH123
        stream.write(b"x")
    assert "the disk is full" in str(explain_os_error(caught.value, "a.json", "write"))


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_only_where_nothing_can_be_written_another_place_would_do(code: int) -> None:
    error = OSError(code, os.strerror(code))

    assert isinstance(explain_os_error(error, "a", "write"), PlaceError)
    assert isinstance(explain_os_error(error, "a", "write to"), PlaceError)
    assert not isinstance(explain_os_error(error, "a", "read"), PlaceError)
    assert not isinstance(explain_os_error(OSError(errno.EISDIR, ""), "a", "write"), PlaceError)


def test_a_folder_that_is_a_file_is_explained(tmp_path: Path) -> None:
    (tmp_path / "runs").write_bytes(b"")
    with pytest.raises(InputError, match="cannot write"):
        write_bytes(tmp_path / "runs" / "a.json", b"")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_explained(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="no permission"):
        write_bytes(tmp_path / "a", b"")


def test_json_is_canonical(tmp_path: Path) -> None:
    write_json(tmp_path / "a", {"b": 1, "a": "ä"})
    assert (tmp_path / "a").read_text(encoding="utf-8") == '{\n "a": "ä",\n "b": 1\n}\n'
    assert sha256_json({"b": 1, "a": 2}) == sha256_json({"a": 2, "b": 1})
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "nan", {"a": float("nan")})


def test_damaged_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"{")
    with pytest.raises(InputError, match="is damaged, make it again"):
        read_json(tmp_path / "a")
    with pytest.raises(InputError, match="does not exist"):
        sha256_file(tmp_path / "b")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_no_number_is_damage_but_in_files_of_others(tmp_path: Path, number: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(f'{{"accuracy": [0.5, {number}]}}')
    with pytest.raises(InputError, match=rf"a\.json is damaged: it holds {number}"):
        read_json(path)
    assert read_json(path, infinite=True)["accuracy"][0] == 0.5


def test_a_device_is_written_to_and_never_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as readers:
        read = readers.submit(pipe.read_bytes)
        write_bytes(pipe, b"row")
        assert read.result(timeout=10) == b"row"
    assert pipe.is_fifo()
    with pytest.raises(InputError, match="cannot write /dev/full: the disk is full"):
        write_bytes(Path("/dev/full"), b"row")
    write_bytes(Path("/dev/null"), b"row")
    assert all(stat.S_ISCHR(Path(name).stat().st_mode) for name in ("/dev/full", "/dev/null"))


def test_what_a_link_points_to_is_written_and_the_link_stays(tmp_path: Path) -> None:
    target, link = tmp_path / "data" / "target.txt", tmp_path / "link.txt"
    target.parent.mkdir()
    target.write_text("old")
    link.symlink_to(target)
    write_bytes(link, b"new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert [path.name for path in target.parent.iterdir()] == ["target.txt"]
