"""Images inside rows: data URIs, and what the first bytes of a JPEG, PNG or WEBP say of it.

Only headers are read, so that no imaging library is needed: the format by its magic bytes, the colour mode where
the format keeps it, and whether the end is there. Modes have the names that Pillow gives them.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass

from tunegate.core.patterns import lazy_pattern

_URI = lazy_pattern(r"data:(?P<type>[^;,]*)(?P<parameters>(?:;[^;,]*)*),", re.IGNORECASE)
_TYPES = {"image/jpeg": "JPEG", "image/jpg": "JPEG", "image/png": "PNG", "image/webp": "WEBP", "image/gif": "GIF"}

_MAGIC = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"BM": "BMP",
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
    b"%PDF": "PDF",
}

# By colour type (PNG specification, table 11.1), and by the number of components in a JPEG's frame: with four an
# Adobe marker tells CMYK from YCCK, and both are CMYK once they are decoded.
_PNG_MODES = {0: "L", 2: "RGB", 3: "P", 4: "LA", 6: "RGBA"}
_JPEG_MODES = {1: "L", 3: "RGB", 4: "CMYK"}
_PNG_END = b"IEND\xaeB`\x82"

# Frame headers, which are C0 to CF but for the tables DHT, JPG and DAC; and markers without a length.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BARE = frozenset({0x01, *range(0xD0, 0xD8)})
_SCAN = 0xDA

MODE_NAMES = {"L": "greyscale", "LA": "greyscale with transparency", "P": "a palette", "CMYK": "CMYK"}


@dataclass(frozen=True, slots=True)
class Image:
    """What the bytes of an image say: `format` is None where it is none that is known, `mode` where no header is.

    `whole` says that the end is there; it is told of JPEG, PNG and WEBP only.
    """

    size: int
    format: str | None
    mode: str | None = None
    whole: bool = True


@dataclass(frozen=True, slots=True)
class DataUri:
    """A data URI: the media type as it is written, the format that it stands for, and its image.

    `fault` says in words why its bytes cannot be had; then there is no image.
    """

    media_type: str
    format: str | None
    image: Image | None = None
    fault: str | None = None


def data_uri(text: str) -> DataUri:
    """Read a text that begins with `data:`; base64 is decoded strictly (RFC 4648)."""
    head = _URI.match(text)
    if head is None:
        return DataUri("", None, fault="has no comma before its data")
    media_type = head["type"].strip().lower()
    named = _TYPES.get(media_type)
    if ";base64" not in head["parameters"].lower():
        return DataUri(media_type, named, fault="does not say ;base64 before its data")
    try:
        content = binascii.a2b_base64(text[head.end() :].encode("ascii"), strict_mode=True)
    except UnicodeEncodeError:
        return DataUri(media_type, named, fault="holds base64 with a sign that is none of base64's")
    except binascii.Error as error:
        return DataUri(media_type, named, fault=f"holds no sound base64 ({_reason(error)})")
    if not content:
        return DataUri(media_type, named, fault="holds nothing")
    return DataUri(media_type, named, image_of(content))


def _reason(error: binascii.Error) -> str:
    said = str(error).lower()
    if "excess data" in said:
        return "more follows its end"
    if "padding" in said or "number of data characters" in said:
        return "it was cut off, or its padding with = is wrong"
    return "a sign is none of base64's"


def image_of(content: bytes) -> Image:
    """Read the header of an image."""
    size = len(content)
    found = "WEBP" if content[:4] == b"RIFF" and content[8:12] == b"WEBP" else None
    found = found or next((name for magic, name in _MAGIC.items() if content.startswith(magic)), None)
    if found == "PNG":
        mode = _PNG_MODES.get(content[25]) if content[12:16] == b"IHDR" and size > 25 else None
        return Image(size, found, mode, _PNG_END in content)
    if found == "JPEG":
        mode, frame = _frame_of_jpeg(content)
        return Image(size, found, mode, b"\xff\xd9" in content[frame:])  # a thumbnail before it has its own end
    if found == "WEBP":
        whole = int.from_bytes(content[4:8], "little") + 8 <= size
        return Image(size, found, _mode_of_webp(content), whole)
    return Image(size, found)


def _frame_of_jpeg(content: bytes) -> tuple[str | None, int]:
    """Go from marker to marker up to the frame header; return the mode by its components, and where it is."""
    position = 2
    while position + 10 <= len(content) and content[position] == 0xFF:
        marker = content[position + 1]
        if marker == 0xFF:  # a fill byte
            position += 1
        elif marker in _BARE:
            position += 2
        elif marker in _FRAMES:
            return _JPEG_MODES.get(content[position + 9]), position
        elif marker == _SCAN:
            break
        else:
            position += 2 + int.from_bytes(content[position + 2 : position + 4], "big")
    return None, 0


def _mode_of_webp(content: bytes) -> str | None:
    """WEBP is RGB, with transparency or without: a bit of the extended or the lossless header says which."""
    kind = content[12:16]
    if kind == b"VP8 ":
        return "RGB"
    if kind == b"VP8X" and len(content) > 20:
        return "RGBA" if content[20] & 0x10 else "RGB"
    if kind == b"VP8L" and len(content) > 24:
        return "RGBA" if content[24] & 0x10 else "RGB"
    return None
