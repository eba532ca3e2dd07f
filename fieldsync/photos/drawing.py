"""Makes renditions of one photo. Runs as a program of its own, with little memory and time.

    python -m fieldsync.photos.drawing SOURCE WEB THUMBNAIL

An image that eats memory, loops or crashes the decoder ends this process and nothing else. Standard
output is one line of JSON: the size, and what the EXIF says of time, place and camera. Renditions carry
no EXIF, so they tell nobody where and with what they were taken.
"""

from __future__ import annotations

import contextlib
import json
import resource
import sys
from pathlib import Path
from typing import Any

MEMORY_BYTES = 1024**3
CPU_S = 20
FILE_BYTES = 32 * 1024**2
MAX_PIXELS = 80_000_000
WEB_PX = 1600
THUMBNAIL_PX = 320
_EXIF_TEXT = {271: "make", 272: "model", 306: "changed_at"}
_EXIF_IFD, _GPS_IFD, _TAKEN_AT = 0x8769, 0x8825, 36867


def limit() -> None:
    """Take away from this process what a decoder does not need."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def draw(source: Path, web: Path, thumbnail: Path) -> dict[str, Any]:
    """Write both renditions and return what is known of the photo."""
    from PIL import Image, ImageOps

    formats = ["JPEG", "PNG", "WEBP"]
    with contextlib.suppress(ImportError):
        from pi_heif import register_heif_opener

        register_heif_opener(thumbnails=False)
        formats.append("HEIF")
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2  # Pillow refuses from twice this
    with Image.open(source, formats=formats) as opened:
        facts = {"width": opened.width, "height": opened.height, "exif": _read_exif(opened)}
        opened.draft("RGB", (WEB_PX, WEB_PX))  # a JPEG is decoded at a fraction of its size
        image = ImageOps.exif_transpose(opened).convert("RGB")
    image.thumbnail((WEB_PX, WEB_PX))
    image.save(web, "JPEG", quality=82, optimize=True)
    image.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    image.save(thumbnail, "JPEG", quality=75, optimize=True)
    return facts


def _read_exif(image: Any) -> dict[str, Any]:
    """Return the few facts that corroborate what the tablet declared; a broken EXIF is no EXIF."""
    try:
        exif = image.getexif()
        facts = {name: str(exif[tag])[:100] for tag, name in _EXIF_TEXT.items() if tag in exif}
        taken = exif.get_ifd(_EXIF_IFD).get(_TAKEN_AT)
        if taken:
            facts["taken_at"] = str(taken)[:40]
        gps = exif.get_ifd(_GPS_IFD)
        for name, reference, value in (("latitude", 1, 2), ("longitude", 3, 4)):
            if value in gps:
                degrees = sum(float(part) / 60**n for n, part in enumerate(gps[value]))
                facts[name] = round(-degrees if gps.get(reference) in ("S", "W") else degrees, 6)
    except Exception:  # noqa: BLE001  EXIF is a stranger's bytes: whatever goes wrong in it, it is not there
        return {}
    return facts


def main(arguments: list[str]) -> int:
    """Draw, or say in one line why not."""
    limit()
    try:
        facts = draw(*(Path(argument) for argument in arguments))
    except Exception as error:  # noqa: BLE001  the parent wants one line, whatever the decoder raised
        print(json.dumps({"error": f"{type(error).__name__}: {error}"[:200]}))  # noqa: T201
        return 1
    print(json.dumps(facts))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
