"""Headers of images that are written here by hand, as the formats' specifications say."""

from __future__ import annotations

import base64
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunegate.dataqa.images import data_uri, image_of


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(colour: int, depth: int = 8, width: int = 1, height: int = 1) -> bytes:
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    lines = (b"\x00" + bytes((width * channels * depth + 7) // 8)) * height
    palette = chunk(b"PLTE", bytes(3)) if colour == 3 else b""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = chunk(b"IHDR", header) + palette + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def jpeg(components: int, frame: int = 0xC0, before: bytes = b"") -> bytes:
    header = struct.pack(">BHHB", 8, 1, 1, components) + b"".join(
        bytes([number, 0x11, 0]) for number in range(1, components + 1)
    )
    scan = segment(0xDA, bytes([components, *([0, 0] * components), 0, 63, 0])) + b"\x00\x3f"
    start = b"\xff\xd8" + segment(0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00")
    return start + before + segment(frame, header) + scan + b"\xff\xd9"


def webp(kind: bytes, content: bytes) -> bytes:
    body = b"WEBP" + kind + struct.pack("<I", len(content)) + content
    return b"RIFF" + struct.pack("<I", len(body)) + body


EXTENDED, LOSSLESS = bytes(10), b"\x2f" + bytes(9)
# A table, a comment, a fill byte, and a thumbnail with a frame of its own inside a segment.
CLUTTER = segment(0xC4, bytes(20)) + segment(0xFE, b"\xff\xc0\x00\x08") + b"\xff" + segment(0xE1, jpeg(1))


@pytest.mark.parametrize(
    ("content", "form", "mode"),
    [
        (png(0), "PNG", "L"),
        (png(0, depth=1), "PNG", "L"),
        (png(0, depth=16), "PNG", "L"),
        (png(2), "PNG", "RGB"),
        (png(2, depth=16), "PNG", "RGB"),
        (png(3), "PNG", "P"),
        (png(4), "PNG", "LA"),
        (png(6), "PNG", "RGBA"),
        (jpeg(1), "JPEG", "L"),
        (jpeg(3), "JPEG", "RGB"),
        (jpeg(4), "JPEG", "CMYK"),
        (jpeg(3, frame=0xC2), "JPEG", "RGB"),
        (jpeg(4, before=CLUTTER), "JPEG", "CMYK"),
        (webp(b"VP8 ", bytes(12)), "WEBP", "RGB"),
        (webp(b"VP8L", LOSSLESS), "WEBP", "RGB"),
        (webp(b"VP8L", b"\x2f\x00\x00\x00\x10" + bytes(5)), "WEBP", "RGBA"),
        (webp(b"VP8X", EXTENDED), "WEBP", "RGB"),
        (webp(b"VP8X", b"\x10" + bytes(9)), "WEBP", "RGBA"),
    ],
)
def test_format_and_mode(content: bytes, form: str, mode: str) -> None:
    found = image_of(content)

    assert (found.size, found.format, found.mode, found.whole) == (len(content), form, mode, True)
    assert not image_of(content[:-5]).whole, "cut off"


@pytest.mark.parametrize(
    ("content", "form"),
    [(b"GIF89a\x01\x00", "GIF"), (b"BM" + bytes(60), "BMP"), (b"II*\x00" + bytes(8), "TIFF"), (b"%PDF-1.7", "PDF"),
     (b"RIFF\x00\x00\x00\x00WAVE", None), (b"Hello", None), (b"", None), (b"\xff\xd8", None)],
)  # fmt: skip
def test_other_files(content: bytes, form: str | None) -> None:
    assert image_of(content).format == form
    assert image_of(content).mode is None


@pytest.mark.parametrize("content", [png(2)[:20], jpeg(3)[:12], b"\xff\xd8\xff\xda\x00\x02", webp(b"VP8X", b"")])
def test_a_header_that_is_not_there(content: bytes) -> None:
    assert image_of(content).mode is None


@given(st.sampled_from([b"", png(2)[:8], jpeg(3)[:4], webp(b"VP8L", b"")]), st.binary(max_size=60))
def test_any_bytes_are_read(start: bytes, rest: bytes) -> None:
    image_of(start + rest)


@given(
    st.binary(min_size=1, max_size=60), st.sampled_from(["image/png", "IMAGE/PNG", "", "text/plain;charset=utf-8"])
)
def test_a_data_uri_gives_its_bytes(content: bytes, media_type: str) -> None:
    found = data_uri(f"data:{media_type};base64,{base64.b64encode(content).decode()}")

    assert found.image is not None
    assert found.image.size == len(content)
    assert found.fault is None


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("data:image/png;base64", "has no comma before its data"),
        ("data:image/png,iVBORw0KGgo=", "does not say ;base64 before its data"),
        ("data:image/png;base64,", "holds nothing"),
        (
            "data:image/png;base64,iVBORw0KGgo",
            "holds no sound base64 (it was cut off, or its padding with = is wrong)",
        ),
        ("data:image/png;base64,iVBO Rw0KGgo=", "holds no sound base64 (a sign is none of base64's)"),
        ("data:image/png;base64,iVBO\nRw0KGgo=", "holds no sound base64 (a sign is none of base64's)"),
        ("data:image/png;base64,iVBO-w0KGgo=", "holds no sound base64 (a sign is none of base64's)"),
        (
            "data:image/png;base64,iVBORw0KGgo=AAAA",
            "holds no sound base64 (more follows its end)",
        ),
        ("data:image/png;base64,iVBORw0KGgo\u00e9", "holds base64 with a sign that is none of base64's"),
        ("data:image/png;base64,...", "holds no sound base64 (a sign is none of base64's)"),
    ],
)
def test_what_does_not_decode(uri: str, said: str) -> None:
    assert data_uri(uri).fault == said


@given(st.text(max_size=40))
def test_any_text_is_read(text: str) -> None:
    found = data_uri("data:" + text)
    assert (found.image is None) == (found.fault is not None)
