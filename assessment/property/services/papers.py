"""Permits, documents and photos of a property."""

from __future__ import annotations

import datetime as dt
from typing import Any, BinaryIO
from uuid import UUID

from assessment.property.blobs import store_blob
from assessment.property.models import Document, Permit, Photo
from assessment.property.services.locks import lock_property, raise_versions
from assessment.region.actors import Actor
from assessment.region.rules import Permission
from assessment.region.scope import because


def record_permit(
    property_id: UUID,
    *,
    actor: Actor,
    permit_number: str,
    issued_on: dt.date,
    reason: str = "permit",
    **values: Any,
) -> Permit:
    """Enter a building permit, or what became of it; the same values again change nothing."""
    card = lock_property(property_id)
    actor.require(Permission.EDIT_RECORD, card.town_id)
    with because(f"{reason} {permit_number}", effective_on=issued_on):
        permit, made = Permit.objects.get_or_create(
            town_id=card.town_id,
            property_id=property_id,
            permit_number=permit_number,
            defaults={"issued_on": issued_on, **values},
        )
        changed = {} if made else {n: v for n, v in values.items() if getattr(permit, n) != v}
        if changed:
            Permit.objects.filter(id=permit.id).update(**changed)
            permit.refresh_from_db()
        if made or changed:
            raise_versions([property_id])
    return permit


def attach_document(
    property_id: UUID,
    *,
    actor: Actor,
    source: BinaryIO | bytes,
    media_type: str,
    kind: str,
    title: str,
    is_confidential: bool = False,
    dated_on: dt.date | None = None,
) -> Document:
    """Keep a paper with a property, as it came."""
    card = lock_property(property_id)
    actor.require(Permission.EDIT_RECORD, card.town_id)
    with because(f"document: {title}", effective_on=dated_on):
        blob = store_blob(source, town_code=card.town_id, media_type=media_type)
        document, made = Document.objects.get_or_create(
            town_id=card.town_id,
            property_id=property_id,
            kind=kind,
            title=title,
            blob=blob,
            defaults={"is_confidential": is_confidential, "dated_on": dated_on},
        )
        if made:
            raise_versions([property_id])
    return document


def attach_photo(
    property_id: UUID,
    *,
    actor: Actor,
    source: BinaryIO | bytes,
    media_type: str,
    role: str = "front",
    taken_at: dt.datetime | None = None,
    is_primary: bool = False,
    building_id: UUID | None = None,
    photo_id: UUID | None = None,
) -> Photo:
    """Keep a photo that came with all its bytes; a primary one takes the place of the last.

    The same bytes in the same role again give the photo that is there.
    """
    card = lock_property(property_id)
    actor.require(Permission.INSPECT, card.town_id)
    with because(f"photo: {role}"):
        blob = store_blob(source, town_code=card.town_id, media_type=media_type)
        held = Photo.objects.filter(property_id=property_id, sha256=blob.sha256, role=role).first()
        if held is not None:
            return held
        if is_primary:
            primary = Photo.objects.filter(property_id=property_id, is_primary=True)
            of_what = (
                primary.filter(building_id=building_id) if building_id else primary.filter(building=None)
            )
            of_what.update(is_primary=False)
        identity = {"id": photo_id} if photo_id else {}
        photo = Photo.objects.create(
            **identity, town_id=card.town_id, property_id=property_id, building_id=building_id, role=role,
            is_primary=is_primary, state=Photo.State.VERIFIED, sha256=blob.sha256, byte_count=blob.byte_count,
            media_type=media_type, taken_at=taken_at,
        )  # fmt: skip
        raise_versions([property_id])
    return photo
