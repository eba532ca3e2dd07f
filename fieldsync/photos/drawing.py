"""Makes renditions of one photo. Runs as a program of its own, with little memory and time and no network.

    python -m fieldsync.photos.drawing SOURCE WEB THUMBNAIL

An image that eats memory, loops or crashes the decoder ends this process and nothing else; one that takes it
over can reach neither the network nor another program. Standard output is one line of JSON: the size, and
what the EXIF says of time, place and camera. Renditions carry nothing of the original's but its picture.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from pathlib import Path
from typing import Any

from fieldsync.photos.sandbox import limit

MAX_PIXELS = 80_000_000
WEB_PX = 1600
THUMBNAIL_PX = 320
_EXIF_TEXT = {271: "make", 272: "model", 306: "changed_at"}
_EXIF_IFD, _GPS_IFD, _TAKEN_AT, _UTC_OFFSET = 0x8769, 0x8825, 36867, 36881
_TEXT_MAX = 400


def prepare() -> list[str]:
    """Load the decoders while files and libraries may still be opened; returns the formats taken."""
    from PIL import Image, ImageCms, ImageOps

    assert ImageCms
    assert ImageOps
    Image.init()
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2  # Pillow refuses from twice this
    formats = ["JPEG", "PNG", "WEBP"]
    with contextlib.suppress(ImportError):
        from pi_heif import register_heif_opener

        register_heif_opener(thumbnails=False)
        formats.append("HEIF")
    return formats


def draw(source: Path, web: Path, thumbnail: Path, *, formats: list[str]) -> dict[str, Any]:
    """Write both renditions and return what is known of the photo."""
    from PIL import Image, ImageOps

    with Image.open(source, formats=formats) as opened:
        facts = {
            "width": opened.width,
            "height": opened.height,
            "frames": getattr(opened, "n_frames", 1),
            "exif": _read_exif(opened),
        }
        profile = opened.info.get("icc_profile")
        opened.draft("RGB", (WEB_PX, WEB_PX))  # a JPEG is decoded at a fraction of its size
        opened.load()
        image: Any = opened
        image.thumbnail((WEB_PX, WEB_PX))
        with contextlib.suppress(Exception):  # a broken EXIF turns nothing
            image = ImageOps.exif_transpose(image)
        image = _to_rgb(image, profile)
    image.info = {}  # comments, XMP and the rest of what would be written into the copies
    image.save(web, "JPEG", quality=82, optimize=True)
    image.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    image.save(thumbnail, "JPEG", quality=75, optimize=True)
    return facts


def _to_rgb(image: Any, profile: Any) -> Any:
    """Return the picture in sRGB on white, by its colour profile where that can be read."""
    from PIL import Image, ImageCms

    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    image = image.convert("RGB")
    if isinstance(profile, bytes) and profile:
        with contextlib.suppress(Exception):
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            image = ImageCms.profileToProfile(image, own, ImageCms.createProfile("sRGB")) or image
    return image


def _read_exif(image: Any) -> dict[str, Any]:
    """Return the few facts that corroborate what the tablet declared; a broken EXIF is no EXIF."""
    try:
        exif = image.getexif()
        facts: dict[str, Any] = {
            name: str(exif[tag])[:_TEXT_MAX] for tag, name in _EXIF_TEXT.items() if tag in exif
        }
        details = exif.get_ifd(_EXIF_IFD)
        for tag, name in ((_TAKEN_AT, "taken_at"), (_UTC_OFFSET, "utc_offset")):
            if details.get(tag):
                facts[name] = str(details[tag])[:_TEXT_MAX]
        gps = exif.get_ifd(_GPS_IFD)
        for name, reference, value in (("latitude", 1, 2), ("longitude", 3, 4)):
            if value in gps:
                degrees = sum(float(part) / 60**n for n, part in enumerate(gps[value]))
                facts[name] = -degrees if gps.get(reference) in ("S", "W") else degrees
    except Exception:  # noqa: BLE001  EXIF is a stranger's bytes: whatever goes wrong in it, it is not there
        return {}
    return facts


def main(arguments: list[str]) -> int:
    """Draw, or say in one line why not."""
    formats = prepare()
    limit()
    source, web, thumbnail = (Path(argument) for argument in arguments)
    try:
        facts = draw(source, web, thumbnail, formats=formats)
    except Exception as error:  # noqa: BLE001  the parent wants one line, whatever the decoder raised
        print(json.dumps({"error": f"{type(error).__name__}: {error}"[:200]}))  # noqa: T201
        return 1
    print(json.dumps(facts))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
