"""Photos as tablets declare them: the facts now, the bytes whenever they come."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from assessment.property.models import Blob, Photo, Property
from assessment.region.ids import new_id
from assessment.region.scope import because
from fieldsync.devices.models import Device
from fieldsync.photos.services import lock_hashes


@dataclass(frozen=True, slots=True)
class Declaration:
    """One photo as the tablet describes it."""

    photo_id: UUID
    property_id: UUID
    inspection_id: UUID | None
    sha256: str
    byte_count: int
    media_type: str
    taken_at: dt.datetime | None
    role: str
    latitude: float | None
    longitude: float | None
    accuracy_m: float | None


@dataclass(frozen=True, slots=True)
class Declared:
    """The photo's state, and whether this declaration made it."""

    state: str
    is_new: bool


def declare_photos(declarations: Sequence[Declaration], *, device: Device) -> list[Declared | None]:
    """Put photos on the record of their properties; those whose bytes are here already count at once.

    The same photo declared again changes nothing. The same id with another hash is kept as a new photo
    that names the first: no picture ever takes another's place.

    Returns
    -------
    list of Declared or None
        In the order given; None where the property is not one of the device's town.
    """
    if not declarations:
        return []
    lock_hashes(d.sha256 for d in declarations)
    town_code = device.town_id
    known = set(
        Property.objects.filter(town_id=town_code, id__in={d.property_id for d in declarations}).values_list(
            "id", flat=True
        )
    )
    hashes = {d.sha256 for d in declarations}
    blobs = {blob.sha256: blob for blob in Blob.objects.filter(town_id=town_code, sha256__in=hashes)}
    held = {
        (photo.id, photo.sha256): photo
        for photo in Photo.objects.filter(town_id=town_code, id__in={d.photo_id for d in declarations})
    }
    taken = {photo_id for photo_id, _ in held}
    outcomes: list[Declared | None] = []
    fresh: list[Photo] = []
    for said in declarations:
        if said.property_id not in known:
            outcomes.append(None)
            continue
        same = held.get((said.photo_id, said.sha256)) or _version_of(said, town_code, taken)
        if same is not None:
            outcomes.append(Declared(same.state, is_new=False))
            continue
        photo = _photo(said, town_code, blobs.get(said.sha256), is_version=said.photo_id in taken)
        held[said.photo_id, said.sha256] = photo
        taken.add(said.photo_id)
        fresh.append(photo)
        outcomes.append(Declared(photo.state, is_new=True))
    with because("photo taken in the field"):
        Photo.objects.bulk_create(fresh)
    return outcomes


def _version_of(said: Declaration, town_code: int, taken: set[UUID]) -> Photo | None:
    if said.photo_id not in taken:
        return None
    return Photo.objects.filter(
        town_id=town_code, sha256=said.sha256, warnings__contains=[_names(said.photo_id)]
    ).first()


def _names(photo_id: UUID) -> str:
    return f"other bytes under the id of photo {photo_id}"


def _photo(said: Declaration, town_code: int, blob: Blob | None, *, is_version: bool) -> Photo:
    return Photo(
        id=new_id() if is_version else said.photo_id,
        town_id=town_code,
        property_id=said.property_id,
        inspection_id=said.inspection_id,
        role=said.role,
        state=Photo.State.VERIFIED if blob else Photo.State.DECLARED,
        sha256=said.sha256,
        byte_count=blob.byte_count if blob else said.byte_count,
        media_type=blob.media_type if blob else said.media_type,
        taken_at=said.taken_at,
        latitude=said.latitude,
        longitude=said.longitude,
        accuracy_m=said.accuracy_m,
        warnings=[_names(said.photo_id)] if is_version else [],
    )
