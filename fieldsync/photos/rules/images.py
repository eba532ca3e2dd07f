"""What an image's bytes and its EXIF say, beside what the tablet declared. Plain values, no I/O."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

# What a browser may be told that a stored file is; everything else is a stream of octets.
SAFE_MEDIA_TYPES = frozenset({"image/jpeg", "image/png", "image/webp", "image/heic"})
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_TEXT_MAX = 100
_SIDE_MAX = 100_000

PhotoWarning = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Tolerances:
    """How far a camera may differ from its tablet before the office is shown it.

    Attributes
    ----------
    time_minutes
        Where the EXIF states its time zone.
    time_without_zone_minutes
        Where it does not, and ``zone`` is taken for it.
    place_m
        Between the two places, beside the accuracy that the tablet itself claims.
    """

    time_minutes: float
    time_without_zone_minutes: float
    place_m: float
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class DrawnFacts:
    """What the drawing process said of a photo, checked: it may have been taken over by the photo."""

    width: int
    height: int
    frames: int = 1
    exif: dict[str, Any] = field(default_factory=dict)


def sniff_mime(head: bytes) -> str | None:
    """Return the image type that the first 32 bytes show, or None. What a device says is not believed."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        return "image/heic"
    return None


def read_drawn_facts(said: Any) -> DrawnFacts | None:
    """Return the facts that a drawing process wrote, or None where they are none."""
    if not isinstance(said, dict):
        return None
    sides = [said.get("width"), said.get("height")]
    if not all(isinstance(side, int) and 0 < side <= _SIDE_MAX for side in sides):
        return None
    frames = said.get("frames", 1)
    exif = said.get("exif")
    return DrawnFacts(
        width=int(said["width"]),
        height=int(said["height"]),
        frames=frames if isinstance(frames, int) and 0 < frames < 2**31 else 1,
        exif=_clean_exif(exif if isinstance(exif, dict) else {}),
    )


def _clean_exif(said: Mapping[Any, Any]) -> dict[str, Any]:
    texts = {
        name: text
        for name in ("make", "model", "changed_at", "taken_at", "utc_offset")
        if (text := clean_text(said.get(name)))
    }
    places: dict[str, Any] = {}
    for name, most in (("latitude", 90.0), ("longitude", 180.0)):
        value = said.get(name)
        if isinstance(value, int | float) and math.isfinite(value) and abs(value) <= most:
            places[name] = round(float(value), 6)
    return {**texts, **(places if len(places) == 2 else {})}


def clean_text(said: Any) -> str:
    """Return a camera's text without what cannot be stored or shown: NUL, controls, lone surrogates."""
    if not isinstance(said, str):
        return ""
    return "".join(c for c in said[: 4 * _TEXT_MAX] if c.isprintable())[:_TEXT_MAX].strip()


def corroborate(
    exif: Mapping[str, Any],
    *,
    taken_at: dt.datetime | None,
    latitude: float | None,
    longitude: float | None,
    accuracy_m: float | None,
    tolerances: Tolerances,
) -> list[PhotoWarning]:
    """Return what a photo's EXIF says otherwise than the tablet that declared it.

    The tablet's word counts: browsers strip and cameras misdate EXIF. A difference is shown to the
    office and refuses nothing.
    """
    found = []
    seen = exif_instant(exif, tolerances.zone)
    if seen is not None and taken_at is not None:
        seen_at, has_zone = seen
        apart = abs((seen_at - taken_at).total_seconds()) / 60
        if apart > (tolerances.time_minutes if has_zone else tolerances.time_without_zone_minutes):
            found.append(
                warning(
                    "time-differs",
                    f"The camera dates the photo {exif['taken_at']}, {_span(apart)} from the tablet's time.",
                    minutes=round(apart),
                )
            )
    place = exif.get("latitude"), exif.get("longitude")
    if None not in (*place, latitude, longitude):
        apart_m = distance_m(float(place[0] or 0), float(place[1] or 0), latitude or 0, longitude or 0)
        if apart_m > tolerances.place_m + (accuracy_m or 0):
            found.append(
                warning(
                    "place-differs",
                    f"The camera places the photo {apart_m:,.0f} m from where the tablet was.",
                    metres=round(apart_m),
                )
            )
    return found


def warning(code: str, text: str, **facts: Any) -> PhotoWarning:
    """Return one warning as a photo's row keeps it."""
    return {"code": code, "text": text, **facts}


def distance_m(latitude_1: float, longitude_1: float, latitude_2: float, longitude_2: float) -> float:
    """Return the distance of two places in metres, on a sphere of the earth's mean radius."""
    one, two = math.radians(latitude_1), math.radians(latitude_2)
    half = (
        math.sin((two - one) / 2) ** 2
        + math.cos(one) * math.cos(two) * math.sin(math.radians(longitude_2 - longitude_1) / 2) ** 2
    )
    return 2 * 6_371_008.8 * math.asin(math.sqrt(min(1.0, half)))


def exif_instant(exif: Mapping[str, Any], zone: ZoneInfo) -> tuple[dt.datetime, bool] | None:
    """Return when the camera says that it took the photo, and whether it states its time zone."""
    try:
        local = dt.datetime.strptime(str(exif.get("taken_at")), "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007
    except ValueError:
        return None
    try:
        offset = dt.datetime.strptime(str(exif.get("utc_offset")), "%z").tzinfo
    except ValueError:
        return local.replace(tzinfo=zone), False
    return local.replace(tzinfo=offset), True


def _span(minutes: float) -> str:
    if minutes < 120:
        return f"{minutes:.0f} minutes"
    return f"{minutes / 60:.0f} hours" if minutes < 48 * 60 else f"{minutes / 1440:,.0f} days"
