"""Web and thumbnail renditions of verified photos."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from assessment.jobs.services import start_job
from assessment.property.blobs import open_blob, store_blob
from assessment.property.models import Photo
from assessment.region.actors import Actor
from assessment.region.scope import because, scope
from fieldsync.photos.rules import corroborate

RENDITIONS_JOB = "draw_photos"
WAIT_S = 30
_PAUSE_S = 5.0
_started_at: dict[int, float] = {}
_COPY_BYTES = 1024 * 1024
# Nothing of the server's environment: neither its secrets nor the address of its database.
_ENVIRONMENT = {"PATH": os.defpath, "PYTHONPATH": str(Path(__file__).resolve().parents[2]), "LANG": "C.UTF-8"}


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

    May run twice: a photo that was drawn is not waiting any more, and equal renditions are one blob.
    """
    counts = {"processed": 0, "unprocessable": 0}
    while True:
        with scope(actor, towns=[town_code]):
            waiting = list_undrawn(town_code, limit=batch)
        if not waiting:
            return counts
        for photo_id in waiting:
            counts[draw_photo(photo_id, town_code=town_code, actor=actor)] += 1
            progress(sum(counts.values()))


def draw_photo(photo_id: UUID, *, town_code: int, actor: Actor) -> str:
    """Draw one photo and return its state: ``processed``, or ``unprocessable``, which stays evidence."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with scope(actor, towns=[town_code]):
            photo = Photo.objects.get(id=photo_id)
            source = open_blob(photo.sha256)
        with source, (folder / "source").open("wb") as copy:
            while piece := source.read(_COPY_BYTES):
                copy.write(piece)
        facts = _run(folder)
        with scope(actor, towns=[town_code]), because("renditions of a photo"):
            if facts is None or "error" in facts:
                said = str((facts or {}).get("error", "the decoder was stopped"))
                return _store(
                    photo, Photo.State.UNPROCESSABLE, warnings=[*photo.warnings, f"no picture: {said}"]
                )
            made = [
                store_blob((folder / kind).read_bytes(), town_code=town_code, media_type="image/jpeg").sha256
                for kind in ("web", "thumbnail")
            ]
            exif = {**facts["exif"], "width": facts["width"], "height": facts["height"]}
            found = corroborate(
                exif, taken_at=photo.taken_at, latitude=photo.latitude, longitude=photo.longitude
            )
            return _store(
                photo,
                Photo.State.PROCESSED,
                web_sha256=made[0],
                thumbnail_sha256=made[1],
                exif=exif,
                warnings=[*photo.warnings, *found],
            )


def _run(folder: Path) -> dict[str, Any] | None:
    arguments = [str(folder / name) for name in ("source", "web", "thumbnail")]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "fieldsync.photos.drawing", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            timeout=WAIT_S,
            cwd=folder,
            env=_ENVIRONMENT,
            check=False,
        )
        facts = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        return None
    return facts if isinstance(facts, dict) else None


def _store(photo: Photo, state: Photo.State, **values: Any) -> str:
    Photo.objects.filter(id=photo.id, sha256=photo.sha256).update(state=state, **values)
    return state.value
