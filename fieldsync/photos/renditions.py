"""Web and thumbnail renditions of verified photos."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

import structlog
from django.conf import settings

from assessment.jobs.services import start_job
from assessment.property.blobs import open_blob, store_blob
from assessment.property.models import Photo
from assessment.region.actors import Actor
from assessment.region.scope import because, scope
from fieldsync.photos.parameters import tolerances
from fieldsync.photos.rules import DrawnFacts, PhotoWarning, corroborate, read_drawn_facts, sniff_mime
from fieldsync.photos.rules.images import clean_text, warning

log = structlog.get_logger(__name__)

RENDITIONS_JOB = "draw_photos"
WAIT_S = 30
_PAUSE_S = 5.0
_started_at: dict[int, float] = {}
_COPY_BYTES = 1024 * 1024
_SAID_BYTES = 64 * 1024
_KINDS = ("web", "thumbnail")
# Nothing of the server's environment: neither its secrets nor the address of its database.
_ENVIRONMENT = {"PATH": os.defpath, "PYTHONPATH": str(Path(__file__).resolve().parents[2]), "LANG": "C.UTF-8"}


@dataclass(frozen=True, slots=True)
class Drawn:
    """What became of drawing one image.

    Attributes
    ----------
    facts
        None where there is no picture; ``why`` says why not.
    pictures
        Web and thumbnail, as JPEG.
    """

    facts: DrawnFacts | None
    pictures: tuple[bytes, ...]
    why: str


def start_drawing(town_code: int) -> None:
    """Ask a worker for the renditions of the town's new photos; one open job draws all that wait."""
    start_job(RENDITIONS_JOB, actor=Actor.system("draw photos"), town=town_code, key="all")


def start_drawing_soon(town_code: int) -> None:
    """The same, at most every few seconds of this process: a tablet sends its photos in a row."""
    now = time.monotonic()
    if now - _started_at.get(town_code, -_PAUSE_S) >= _PAUSE_S:
        _started_at[town_code] = now
        start_drawing(town_code)


def list_undrawn(town_code: int, *, limit: int) -> list[UUID]:
    """Return verified photos without renditions, the oldest first."""
    rows = Photo.objects.filter(town_id=town_code, state=Photo.State.VERIFIED, web_sha256="")
    return list(rows.order_by("created_at", "id").values_list("id", flat=True)[:limit])


def draw_waiting(
    town_code: int, *, actor: Actor, progress: Callable[[int], None] = lambda done: None, batch: int = 50
) -> dict[str, int]:
    """Draw every waiting photo of a town, each in a process of its own; returns how many of each outcome.

    May run twice: a photo that was drawn is not waiting any more, and equal renditions are one blob. A
    photo whose bytes cannot be read is left for the next run, and keeps no other from being drawn.
    """
    counts = {"processed": 0, "unprocessable": 0, "unreadable": 0}
    unreadable: set[UUID] = set()
    while True:
        with scope(actor, towns=[town_code]):
            waiting = [
                p for p in list_undrawn(town_code, limit=batch + len(unreadable)) if p not in unreadable
            ]
        if not waiting:
            return counts
        for photo_id in waiting:
            try:
                counts[draw_photo(photo_id, town_code=town_code, actor=actor)] += 1
            except OSError:
                log.exception("a photo's bytes cannot be read", photo_id=str(photo_id))
                unreadable.add(photo_id)
                counts["unreadable"] += 1
            progress(sum(counts.values()))


def draw_photo(photo_id: UUID, *, town_code: int, actor: Actor) -> str:
    """Draw one photo and return its state: ``processed``, or ``unprocessable``, which stays evidence.

    Raises
    ------
    OSError
        The store does not give its bytes.
    """
    with scope(actor, towns=[town_code]):
        photo = Photo.objects.get(id=photo_id)
        source = open_blob(photo.sha256)
    with source:
        drawn = draw_pictures(source)
    with scope(actor, towns=[town_code]), because("renditions of a photo"):
        if drawn.facts is None:
            found = [warning("no-picture", f"No picture: {drawn.why}")]
            return _store(photo, Photo.State.UNPROCESSABLE, found=found)
        web, thumbnail = (
            store_blob(content, town_code=town_code, media_type="image/jpeg").sha256
            for content in drawn.pictures
        )
        return _store(
            photo,
            Photo.State.PROCESSED,
            found=_compare(photo, drawn.facts),
            web_sha256=web,
            thumbnail_sha256=thumbnail,
            exif={**drawn.facts.exif, "width": drawn.facts.width, "height": drawn.facts.height},
        )


def draw_pictures(source: BinaryIO) -> Drawn:
    """Draw an image's renditions in a process of its own, whatever the image may be."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (folder / "source").open("wb") as copy:
            while piece := source.read(_COPY_BYTES):
                copy.write(piece)
        said = _run(folder)
        facts = read_drawn_facts(said)
        if facts is None or not all(_is_jpeg(folder / kind) for kind in _KINDS):
            return Drawn(None, (), clean_text((said or {}).get("error")) or "the decoder was stopped")
        return Drawn(facts, tuple((folder / kind).read_bytes() for kind in _KINDS), "")


def _compare(photo: Photo, facts: DrawnFacts) -> list[PhotoWarning]:
    found = corroborate(
        facts.exif,
        taken_at=photo.taken_at,
        latitude=photo.latitude,
        longitude=photo.longitude,
        accuracy_m=photo.accuracy_m,
        tolerances=tolerances(settings.TIME_ZONE),
    )
    if facts.frames > 1:
        found.append(
            warning("animated", f"The file moves; the first of its {facts.frames} pictures is shown.")
        )
    return found


def _run(folder: Path) -> dict[str, Any] | None:
    """Return what the drawing process wrote, as far as it is an object; it may be anything."""
    arguments = [str(folder / name) for name in ("source", *_KINDS)]
    # A file and no pipe: the limit of file sizes holds for it too.
    with (folder / "said").open("w+b") as said:
        try:
            subprocess.run(
                [sys.executable, "-m", "fieldsync.photos.drawing", *arguments],
                stdout=said,
                stderr=subprocess.DEVNULL,
                stdin=subprocess.DEVNULL,
                timeout=WAIT_S,
                cwd=folder,
                env=_ENVIRONMENT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None
        said.seek(0)
        try:
            facts = json.loads(said.read(_SAID_BYTES))
        except (ValueError, RecursionError):
            return None
    return facts if isinstance(facts, dict) else None


def _is_jpeg(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return sniff_mime(file.read(32)) == "image/jpeg"
    except FileNotFoundError:
        return False


def _store(photo: Photo, state: Photo.State, *, found: list[PhotoWarning], **values: Any) -> str:
    codes = {one["code"] for one in found} | {"time-differs", "place-differs", "animated", "no-picture"}
    kept = [one for one in photo.warnings if isinstance(one, dict) and one.get("code") not in codes]
    Photo.objects.filter(id=photo.id, sha256=photo.sha256).update(
        state=state, warnings=[*kept, *found], **values
    )
    return state.value
