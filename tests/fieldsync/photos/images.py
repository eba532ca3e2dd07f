"""Images made for the tests: honest ones, and those that somebody made to do harm."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from functools import cache
from pathlib import Path

from PIL import ExifTags, Image, ImageCms, PngImagePlugin

# Drawn by us (a house, 640 x 480, turned by its EXIF) and encoded as HEVC by libheif; no rights of others.
HEIC = Path(__file__).with_name("files") / "house.heic"
SCRIPT = b"<html><script>alert(document.domain)</script></html>"


def make_image(kind: str = "JPEG", size: tuple[int, int] = (2000, 1500), **options: object) -> bytes:
    """An image of one colour."""
    stream = io.BytesIO()
    Image.new("RGB", size, (30, 90, 160)).save(stream, kind, **options)
    return stream.getvalue()


def make_exif(orientation: int = 6, taken_at: str = "2020:05:06 07:08:09", offset: str = "") -> Image.Exif:
    """What a camera in Cheshire says on a day in May."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = "Maker"
    exif[ExifTags.Base.Model] = "Tablet 9"
    exif.get_ifd(ExifTags.IFD.Exif)[36867] = taken_at
    if offset:
        exif.get_ifd(ExifTags.IFD.Exif)[36881] = offset
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps[1], gps[2], gps[3], gps[4] = "N", (41.0, 23.0, 0.0), "W", (72.0, 54.0, 0.0)
    return exif


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def make_png_bomb(width: int = 60_000, height: int = 60_000) -> bytes:
    """A PNG of a few bytes that says it is of 3.6 billion pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 1_000_000)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", pixels)
        + png_chunk(b"IEND", b"")
    )


def make_jpeg_bomb() -> bytes:
    """A small JPEG whose frame says 65,500 by 65,500."""
    content = bytearray(make_image(size=(64, 64)))
    frame = content.index(b"\xff\xc0")
    content[frame + 5 : frame + 9] = struct.pack(">HH", 65_500, 65_500)
    return bytes(content)


def make_webp_bomb() -> bytes:
    """A WebP of one colour, of 268 million pixels in a few kilobytes' frame header."""
    body = make_image("WEBP", size=(16, 16), lossless=True)
    size = struct.pack("<I", 16_383)[:3]
    extended = b"VP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + size + size
    content = b"WEBP" + extended + body[12:]
    return b"RIFF" + struct.pack("<I", len(content)) + content


def make_heic_bomb() -> bytes:
    """Our HEIC with 60,000 by 60,000 in each of its boxes of dimensions."""
    content = bytearray(HEIC.read_bytes())
    at, found = content.find(b"ispe"), 0
    while at >= 0:
        content[at + 8 : at + 16] = struct.pack(">II", 60_000, 60_000)
        at, found = content.find(b"ispe", at + 4), found + 1
    assert found
    return bytes(content)


def make_deflate_bomb() -> bytes:
    """A PNG whose colour profile unpacks to a gigabyte."""
    packed = zlib.compressobj(9)
    profile = b"".join(packed.compress(b"\0" * 2**20) for _ in range(1024)) + packed.flush()
    image = make_image("PNG", size=(32, 32))
    end_of_header = 8 + 25
    return image[:end_of_header] + png_chunk(b"iCCP", b"p\0\0" + profile) + image[end_of_header:]


def make_polyglot(kind: str) -> bytes:
    """A JPEG that is a page, an archive or a document too."""
    image = make_image(size=(400, 300), comment=SCRIPT)
    if kind == "html":
        return image + SCRIPT
    if kind == "pdf":
        return image + b"\n%PDF-1.4\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj\n%%EOF"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("evil.js", SCRIPT)
    return image + archive.getvalue()


def make_exif_loop() -> bytes:
    """A JPEG whose EXIF directory is its own next one, and its own sub-directory."""
    entry = struct.pack("<HHII", 0x8769, 4, 1, 8)
    tiff = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 1) + entry + struct.pack("<I", 8)
    return make_image(size=(300, 200), exif=b"Exif\0\0" + tiff)


def make_huge_metadata() -> bytes:
    """A JPEG with an EXIF and a colour profile of the greatest size, full of what cannot be stored."""
    exif = make_exif()
    exif[ExifTags.Base.Model] = "Tablet\0\x07 " + "9" * 60_000
    stream = io.BytesIO()
    Image.new("RGB", (300, 200), "red").save(
        stream, "JPEG", exif=exif.tobytes()[:65_000], icc_profile=b"\xff" * 4_000_000
    )
    return stream.getvalue()


def make_animated(kind: str) -> bytes:
    """Three pictures, one after the other."""
    first, *rest = (Image.new("RGB", (300, 200), colour) for colour in ("red", "green", "blue"))
    stream = io.BytesIO()
    first.save(stream, kind, save_all=True, append_images=rest, duration=100)
    return stream.getvalue()


@cache
def make_talkative() -> bytes:
    """A JPEG that tells where it was taken in every way there is. Made once: a colour profile tells the time too."""
    place = b"GPSLatitude 41.38 GPSLongitude -72.9"
    return make_image(
        exif=make_exif(),
        comment=place,
        xmp=b"<x:xmpmeta>" + place + b"</x:xmpmeta>",
        icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    )


def make_talkative_png() -> bytes:
    """The same as a PNG, in a text chunk."""
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "GPSLatitude 41.38 GPSLongitude -72.9")
    return make_image("PNG", size=(400, 300), pnginfo=text)
