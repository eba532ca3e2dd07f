"""Photos as tablets declare them: the facts now, the bytes whenever they come."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from assessment.property.blobs import lock_bytes
from assessment.property.models import Blob, Photo, Property
from assessment.region.ids import new_id
from assessment.region.scope import because
from fieldsync.devices.models import Device
from fieldsync.photos.models import Upload
from fieldsync.photos.rules.images import warning

_DESCRIBED = [
    "property_id", "inspection_id", "role", "state", "sha256", "byte_count", "media_type", "taken_at",
    "latitude", "longitude", "accuracy_m",
]  # fmt: skip


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
    that names the first: no picture ever takes another's place. A photo that its visit has named is the
    same row.

    Returns
    -------
    list of Declared or None
        In the order given; None where the property is not one of the device's town.
    """
    if not declarations:
        return []
    lock_bytes(d.sha256 for d in declarations)
    town_code = device.town_id
    known = _known_properties(town_code, {d.property_id for d in declarations})
    hashes = {d.sha256 for d in declarations}
    blobs = {blob.sha256: blob for blob in Blob.objects.filter(town_id=town_code, sha256__in=hashes)}
    begun = set(
        Upload.objects.filter(
            town_id=town_code, sha256__in=hashes - blobs.keys(), state=Upload.State.RECEIVING
        ).values_list("sha256", flat=True)
    )
    ids = {d.photo_id for d in declarations}
    rows = Photo.objects.filter(Q(id__in=ids) | Q(version_of__in=ids), town_id=town_code)
    held = {(photo.version_of or photo.id, photo.sha256): photo for photo in rows}
    taken = {photo_id for photo_id, _ in held}
    outcomes: list[Declared | None] = []
    fresh: list[Photo] = []
    named: list[Photo] = []
    for said in declarations:
        if said.property_id not in known:
            outcomes.append(None)
            continue
        same = held.get((said.photo_id, said.sha256))
        if same is not None:
            outcomes.append(Declared(same.state, is_new=False))
            continue
        only_named = held.pop((said.photo_id, ""), None)
        is_version = said.photo_id in taken and only_named is None
        photo = only_named or Photo(id=new_id() if is_version else said.photo_id, town_id=town_code)
        _describe(photo, said, blobs.get(said.sha256), is_version=is_version, is_begun=said.sha256 in begun)
        held[said.photo_id, said.sha256] = photo
        taken.add(said.photo_id)
        (named if only_named else fresh).append(photo)
        outcomes.append(Declared(photo.state, is_new=True))
    with because("photo taken in the field"):
        Photo.objects.bulk_create(fresh)
        if named:
            Photo.objects.bulk_update(named, _DESCRIBED)
    return outcomes


def expect_photos(visits: Iterable[tuple[UUID, UUID, Iterable[UUID]]], *, town_code: int) -> int:
    """Note the photos that visits name, so that one whose declaration is lost is missed; returns how many.

    Parameters
    ----------
    visits
        The inspection, its property and the ids of its photos.
    """
    wanted = {photo_id: visit for visit in visits for photo_id in visit[2]}
    if not wanted:
        return 0
    known = set(Photo.objects.filter(town_id=town_code, id__in=wanted).values_list("id", flat=True))
    fresh = [
        Photo(id=photo_id, town_id=town_code, property_id=property_id, inspection_id=inspection_id)
        for photo_id, (inspection_id, property_id, _) in sorted(wanted.items())
        if photo_id not in known
    ]
    with because("photo named by a visit"):
        Photo.objects.bulk_create(fresh, ignore_conflicts=True)
    return len(fresh)


def _known_properties(town_code: int, ids: set[UUID]) -> set[UUID]:
    rows = Property.objects.filter(town_id=town_code, id__in=ids)
    return set(rows.values_list("id", flat=True))


def _describe(
    photo: Photo, said: Declaration, blob: Blob | None, *, is_version: bool, is_begun: bool
) -> None:
    on_the_way = Photo.State.RECEIVING if is_begun else Photo.State.DECLARED
    photo.property_id = said.property_id
    photo.inspection_id = said.inspection_id
    photo.role = said.role
    photo.state = Photo.State.VERIFIED if blob else on_the_way
    photo.sha256 = said.sha256
    photo.byte_count = blob.byte_count if blob else said.byte_count
    photo.media_type = blob.media_type if blob else said.media_type
    photo.taken_at = said.taken_at
    photo.latitude = said.latitude
    photo.longitude = said.longitude
    photo.accuracy_m = said.accuracy_m
    if is_version:
        photo.version_of = said.photo_id
        photo.warnings = [
            warning("other-bytes", f"The tablet declared other bytes under the id of photo {said.photo_id}.")
        ]
