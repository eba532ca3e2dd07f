"""What a person does with what waits in quarantine: nothing leaves it by itself, and nothing is deleted.

A discarded mutation stays in the ledger word for word; two persons answer for it.
"""

from __future__ import annotations

from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from django.utils import timezone

from assessment.property.services import record_inspection
from assessment.property.services.inspections import Visit
from assessment.region.actors import Actor
from assessment.region.errors import Conflict as StateConflict
from assessment.region.errors import Forbidden, Invalid, NotFound
from assessment.region.ids import new_id
from assessment.region.rules import Permission
from assessment.region.scope import because
from fieldsync.photos.custody import release_declared
from fieldsync.problems import ITEM_CODES
from fieldsync.push import ledger
from fieldsync.push.models import Mutation, Quarantine
from fieldsync.push.parked import apply_parked
from fieldsync.push.reading import list_year_of, read_again
from fieldsync.push.rules import Status, body_sha256
from fieldsync.quarantine.rules import as_note, describe
from fieldsync.quarantine.selectors import get_quarantined

_MAY_BE_STORED = (Status.QUARANTINED, Status.HELD)


def apply_quarantined(quarantine_id: UUID, *, actor: Actor, reason: str) -> Quarantine:
    """Apply a mutation now, as if it had just come; again changes nothing.

    It merges like any other: what clashes becomes a conflict. What had waited for it is applied too, and photos
    that it declares count, where their bytes are in quarantine with it. In the
    name of its author where they may inspect in the town, else of the person who decides.

    Raises
    ------
    NotFound, Forbidden
        Not in scope; the actor may not accept what was seen.
    Invalid
        No reason, or it still cannot be applied; the detail says why. Nothing was changed.
    Conflict
        It was discarded.
    """
    row = _lock(quarantine_id, actor, reason)
    if row.state == Quarantine.State.APPLIED:
        return row
    _refuse_decided(row)
    mutation = _second_body(row) if row.other_body is not None else row.mutation
    # What waits for it is applied with it, and its photos count as well: the decision is about all of it.
    waiting = ledger.lock_held(row.town_id, held_for=_brings(mutation))
    result = apply_parked(mutation, actor=actor, reason=reason)
    declared = {
        pair
        for each in (mutation, *waiting)
        if each.device_id == row.device_id and (pair := _declared(each)) is not None
    }
    release_declared(row.device_id, declared, actor=actor, reason=reason)
    _settle(row, actor, reason, Quarantine.State.APPLIED)
    if row.other_body is None:
        _tell(mutation, {**result, "settled": "applied"})
    else:
        ledger.store_results(row.town_id, {mutation.mutation_id: result})
    return row


def apply_as_inspection(
    quarantine_id: UUID, *, actor: Actor, reason: str, property_id: UUID | None = None
) -> Quarantine:
    """Record a mutation as a visit of its own, with everything that it says in the visit's note.

    For what cannot be applied as it stands: a card that is closed, a shape that nobody knows. The record is
    not changed by it; whoever reads the visit changes what needs to be.

    Parameters
    ----------
    property_id
        The card, where the mutation names none of this town.

    Raises
    ------
    Invalid
        It names no card of the town, and none was given.
    """
    row = _lock(quarantine_id, actor, reason)
    if row.state == Quarantine.State.APPLIED:
        return row
    _refuse_decided(row)
    body = row.other_body if row.other_body is not None else row.mutation.body
    said = _stated(body)
    stated = property_id or _uuid(said.get("property_id"))
    if stated is None and row.mutation.kind == "card.patch":
        stated = row.mutation.entity_id
    if stated is None:
        raise Invalid("Name the property: the mutation says none.")
    seen_at = row.mutation.captured_at or row.mutation.received_at
    visit = Visit(
        property_id=stated,
        entry_code=str(said.get("entry_code", ""))[:4],
        visited_at=seen_at,
        list_year=list_year_of(timezone.localdate(seen_at)),
        inspection_id=new_id(),
        purpose="quarantine",
        is_full_inspection=False,
        note=f"{as_note(describe(body))}\n\n{actor.name}: {reason}",
        device_id=row.device_id,
        inspected_by_id=row.device.person_id,
    )
    with because(reason):
        try:
            record_inspection(visit, actor=actor)
        except NotFound as problem:
            raise Invalid("The mutation names no property of this town: name one.") from problem
    row.inspection_id = visit.inspection_id
    _settle(row, actor, reason, Quarantine.State.APPLIED)
    if row.other_body is None:
        _tell(row.mutation, {"status": Status.APPLIED.value, "settled": "as-new-inspection"})
    return row


def propose_discard(quarantine_id: UUID, *, actor: Actor, reason: str) -> Quarantine:
    """Propose that a mutation is never to be applied; another person has to agree.

    Raises
    ------
    Conflict
        It was decided, or somebody has proposed it before.
    """
    row = _lock(quarantine_id, actor, reason)
    _refuse_decided(row)
    if row.proposed_by_id is not None:
        raise StateConflict(f"{row.proposed_by} has proposed this before; another person may confirm it.")
    row.proposed_by_id, row.proposed_at, row.proposed_reason = _person(actor), timezone.now(), reason[:200]
    row.save(update_fields=["proposed_by", "proposed_at", "proposed_reason"])
    return row


def withdraw_discard(quarantine_id: UUID, *, actor: Actor, reason: str) -> Quarantine:
    """Take a proposal back; anybody who may decide can. It waits as before."""
    row = _lock(quarantine_id, actor, reason)
    _refuse_decided(row)
    if row.proposed_by_id is None:
        raise StateConflict("Nobody has proposed to discard this.")
    row.proposed_by, row.proposed_at, row.proposed_reason = None, None, ""
    row.save(update_fields=["proposed_by", "proposed_at", "proposed_reason"])
    return row


def confirm_discard(quarantine_id: UUID, *, actor: Actor, reason: str) -> Quarantine:
    """Discard a mutation as the second person. It stays in the ledger; what had waited for it comes before a person.

    Raises
    ------
    Forbidden
        The actor is who proposed it.
    Conflict
        Nobody has proposed it, or it was decided; discarded again it stays as it is.
    """
    row = _lock(quarantine_id, actor, reason)
    if row.state == Quarantine.State.DISCARDED:
        return row
    _refuse_decided(row)
    if row.proposed_by_id is None:
        raise StateConflict("One person proposes, another one discards: nobody has proposed it yet.")
    if row.proposed_by_id == _person(actor):
        raise Forbidden("You proposed it: another person has to confirm.")
    _settle(row, actor, reason, Quarantine.State.DISCARDED)
    if row.other_body is None:
        detail = f"Discarded: {row.proposed_reason}"[:400]
        _tell(row.mutation, {**(row.mutation.result or {}), "detail": detail, "settled": "discarded"})
        for waiting in ledger.lock_held(row.town_id, held_for=_brings(row.mutation)):
            _put_before_a_person(waiting, detail="What it builds on was discarded.")
    return row


def quarantine_held(mutation_row_id: UUID, *, actor: Actor, reason: str) -> Quarantine:
    """Put what is held before a person: what it waits for will not come.

    Raises
    ------
    NotFound
        There is no such mutation, or it is not held any more.
    """
    if not reason.strip():
        raise Invalid("A decision needs a reason.")
    found = Mutation.objects.filter(id=mutation_row_id, status=Status.HELD).first()
    if found is None:
        raise NotFound("This is not held, or not any more.")
    actor.require(Permission.ACCEPT_OBSERVATIONS, found.town_id)
    held = ledger.lock_held(found.town_id, mutation_ids=[found.mutation_id])
    if not held:
        raise NotFound("This is not held, or not any more.")
    return _put_before_a_person(held[0], detail=f"{actor.name}: {reason}")


def _put_before_a_person(row: Mutation, *, detail: str) -> Quarantine:
    code = "predecessor-unknown"
    ledger.quarantine(
        row.device, {row.mutation_id: (row.id, code, detail or ITEM_CODES[code])}, now=timezone.now()
    )
    said = {k: v for k, v in (row.result or {}).items() if k not in ("held_for", "held_since")}
    result = {**said, "status": Status.QUARANTINED.value, "code": code, "detail": detail}
    ledger.store_results(row.town_id, {row.mutation_id: result})
    return Quarantine.objects.get(mutation=row, code=code, other_sha256="")


def _lock(quarantine_id: UUID, actor: Actor, reason: str) -> Quarantine:
    """Lock a row, so that of two decisions the second finds the first made."""
    if not reason.strip():
        raise Invalid("A decision needs a reason.")
    if not Quarantine.objects.select_for_update(of=("self",)).filter(id=quarantine_id).exists():
        raise NotFound("There is nothing of that id in quarantine.")
    row = get_quarantined(quarantine_id)
    actor.require(Permission.ACCEPT_OBSERVATIONS, row.town_id)
    return row


def _refuse_decided(row: Quarantine) -> None:
    if row.state != Quarantine.State.WAITING:
        raise StateConflict(f"This was decided before: {row.get_state_display().lower()}.", state=row.state)


def _settle(row: Quarantine, actor: Actor, reason: str, state: str) -> None:
    row.state, row.reason = state, reason[:200]
    row.decided_by_id, row.decided_at = actor.person_id, timezone.now()
    row.save(update_fields=["state", "reason", "decided_by", "decided_at", "inspection_id"])
    # The same mutation may wait for more than one reason: one decision settles it.
    Quarantine.objects.filter(
        mutation_id=row.mutation_id, other_sha256=row.other_sha256, state=Quarantine.State.WAITING
    ).update(
        state=state, reason=row.reason, decided_by=row.decided_by_id, decided_at=row.decided_at,
        proposed_by=row.proposed_by_id, proposed_at=row.proposed_at, proposed_reason=row.proposed_reason,
    )  # fmt: skip


def _tell(mutation: Mutation, result: dict[str, Any]) -> None:
    """Write the outcome where the device asks for it; what was rejected has no id to ask by."""
    if mutation.status in _MAY_BE_STORED:
        known = {"mutation_id": str(mutation.mutation_id)}
        ledger.store_results(mutation.town_id, {mutation.mutation_id: {**known, **result}})


def _second_body(row: Quarantine) -> Mutation:
    """Enter a body that came under a used id in the ledger, under an id made of both."""
    first = row.mutation
    key = uuid5(NAMESPACE_URL, f"{first.mutation_id}/{row.other_sha256}")
    stated = {**_stated_whole(row.other_body), "mutation_id": str(key)}
    made, _ = Mutation.objects.get_or_create(
        town_id=row.town_id, mutation_id=key,
        defaults={
            "device": row.device, "device_seq": 0, "batch_id": first.batch_id,
            "kind": str(stated.get("kind", ""))[:60], "entity_id": _uuid(stated.get("entity_id")),
            "captured_at": first.captured_at, "clock_offset_ms": first.clock_offset_ms,
            "schema_version": first.schema_version, "body": stated, "sha256": body_sha256(stated),
            "status": Status.QUARANTINED, "received_at": row.quarantined_at,
        },
    )  # fmt: skip
    return made


def _stated_whole(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise Invalid("The second body is no mutation.")
    return body


def _stated(body: Any) -> dict[str, Any]:
    data = body.get("data") if isinstance(body, dict) else None
    return data if isinstance(data, dict) else {}


def _brings(row: Mutation) -> set[UUID]:
    """Return what others may wait for of a mutation: all of them, whatever it could be read as."""
    item = read_again(row)
    return item.brings() | ({row.entity_id} if row.entity_id and row.kind != "card.patch" else set())


def _declared(row: Mutation) -> tuple[UUID, str] | None:
    """Return the id and the hash of the photo that a mutation declares, if it does."""
    if row.kind != "photo.declare" or row.entity_id is None:
        return None
    return row.entity_id, str(_stated(row.body).get("sha256", ""))


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(str(value)) if value else None
    except ValueError:
        return None


def _person(actor: Actor) -> UUID:
    if actor.person_id is None:
        raise Forbidden("Only a person decides what is discarded.")
    return actor.person_id
