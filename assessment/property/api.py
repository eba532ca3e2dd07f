"""Properties over HTTP: finding them, their cards now and then, their history, and what waits to be accepted."""

from __future__ import annotations

import datetime as dt
from typing import Annotated
from uuid import UUID

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from assessment.property import selectors
from assessment.property.schemas import (
    CardOut,
    HistoryOut,
    ObservationOut,
    ObservationsDecisionIn,
    ObservationsDecisionOut,
    PropertyLine,
    RejectionOut,
)
from assessment.property.search import list_owner_names
from assessment.property.services import accept_observations, reject_observations
from assessment.region.errors import Invalid
from assessment.region.requests import town_of
from assessment.region.rules import Permission

router = Router(tags=["properties"])
Limit = Annotated[int, Field(ge=1, le=200)]


@router.get("/", response=list[PropertyLine], operation_id="list_properties")
def get_properties(
    request: HttpRequest, q: str = "", after: str = "", limit: Limit = 50
) -> list[PropertyLine]:
    """Search by the beginning of an account, identifier, address or owner; without ``q``, list by account.

    For the next page of a plain list give the last account number as ``after``.
    """
    actor, here = town_of(request)
    if q.strip():
        hits = selectors.search_properties(q, actor=actor, towns=[here.code], limit=limit)
        return [
            PropertyLine(
                property_id=hit.property_id, account_number=hit.account_number, address=hit.address,
                owner=hit.owner, use_description=hit.use_description, matched=hit.matched,
            )
            for hit in hits
        ]  # fmt: skip
    rows = selectors.list_properties(towns=[here.code], after=after, limit=limit)
    open_towns = [here.code] if actor.may(Permission.VIEW_CONFIDENTIAL, here.code) else []
    owners = list_owner_names([row.id for row in rows], open_towns=open_towns)
    return [
        PropertyLine(
            property_id=row.id, account_number=row.account_number, address=row.address,
            owner=owners.get(row.id, ""), use_description=row.use_description or row.use_code, matched="",
        )
        for row in rows
    ]  # fmt: skip


@router.get("/observations", response=list[ObservationOut], operation_id="list_open_observations")
def get_observations(
    request: HttpRequest, property_id: UUID | None = None, after: UUID | None = None, limit: Limit = 100
) -> list[ObservationOut]:
    """Return what was seen in the field and waits for a person, oldest first; page by the last id."""
    _, here = town_of(request)
    rows = selectors.list_open_observations(
        towns=[here.code], property_id=property_id, after=after, limit=limit
    )
    return [
        ObservationOut(
            account_number=row.property.account_number,
            address=row.property.address,
            **{name: getattr(row, name) for name in _OBSERVED},
        )
        for row in rows
    ]


@router.post("/observations/accept", response=ObservationsDecisionOut, operation_id="accept_observations")
def post_accept(request: HttpRequest, body: ObservationsDecisionIn) -> ObservationsDecisionOut:
    """Accept what was seen: the record changes as of the day it was seen."""
    actor, _ = town_of(request)
    made = accept_observations(body.observation_ids, actor=actor, reason=body.reason)
    conflicts = {str(observation_id): why for observation_id, why in made.conflicts.items()}
    return ObservationsDecisionOut(accepted=made.accepted, conflicts=conflicts, settled=made.settled)


@router.post("/observations/reject", response=RejectionOut, operation_id="reject_observations")
def post_reject(request: HttpRequest, body: ObservationsDecisionIn) -> dict[str, int]:
    """Reject what was seen; it stays on record, the card stays as it is."""
    actor, _ = town_of(request)
    return {"rejected": reject_observations(body.observation_ids, actor=actor, reason=body.reason)}


@router.get("/{uuid:property_id}", response=CardOut, operation_id="get_record_card")
def get_card(
    request: HttpRequest, property_id: UUID, as_of: dt.datetime | None = None, on: dt.date | None = None
) -> selectors.RecordCard:
    """Return a card now, as it was known at a moment (``as_of``), or as it stood on a day (``on``)."""
    actor, _ = town_of(request)
    if as_of is not None and on is not None:
        raise Invalid("Ask for a moment or for a day, not for both.")
    if as_of is not None:
        if as_of.tzinfo is None:
            raise Invalid("The moment needs its offset from UTC, such as 2026-10-01T12:00:00-04:00.")
        return selectors.record_as_of(property_id, as_of, actor=actor)
    if on is not None:
        return selectors.record_on(property_id, on, actor=actor)
    return selectors.get_record_card(property_id, actor=actor)


@router.get("/{uuid:property_id}/history", response=HistoryOut, operation_id="list_property_history")
def get_history(
    request: HttpRequest, property_id: UUID, before: int | None = None, limit: Limit = 50
) -> selectors.HistoryPage:
    """Return a page of a card's journal, latest first; for the next one give ``next_before``."""
    actor, _ = town_of(request)
    return selectors.list_history(property_id, actor=actor, before=before, limit=limit)


_OBSERVED = (
    "id", "property_id", "inspection_id", "target_kind", "target_id", "field", "base_value", "value", "unit",
    "source", "is_estimated", "observed_on", "list_year", "state", "decision_reason",
)  # fmt: skip
