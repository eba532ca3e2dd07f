"""Reading again what an app newer than this server had sent, once the server knows its version."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from django.utils import timezone

from assessment.region.actors import Actor
from assessment.region.errors import Problem
from assessment.region.models import Person
from assessment.region.progress import bar
from assessment.region.rules import Permission
from assessment.region.scope import scope
from assessment.region.selectors import get_actor
from fieldsync.devices.models import Device
from fieldsync.push.models import Mutation, Quarantine
from fieldsync.push.reading import Item, read_again
from fieldsync.push.versions import CURRENT_VERSION
from fieldsync.quarantine.services import apply_quarantined

# What the server may have learned since.
_LEARNABLE = ("schema-too-new", "kind-unknown")


@dataclass(slots=True)
class Reread:
    """What became of the mutations that were looked at: applied, or waiting still, and why."""

    applied: int = 0
    waiting: dict[str, int] = field(default_factory=dict)

    def note_waiting(self, why: str) -> None:
        """Count one that waits still."""
        self.waiting[why] = self.waiting.get(why, 0) + 1


def reread_mutations(town_code: int, *, actor: Actor) -> Reread:
    """Apply the town's mutations that this server can read now and could not when they came.

    In the order in which each device made them, each in a transaction of its own. What there was another
    reason to put before a person (a revoked device, an author without a role) goes on waiting for one.
    """
    with scope(actor, read_only=[town_code]):
        rows = Quarantine.objects.filter(
            town_id=town_code, state=Quarantine.State.WAITING, code__in=_LEARNABLE, other_body__isnull=True
        )
        ids = list(rows.order_by("mutation__device_id", "mutation__device_seq").values_list("id", flat=True))
    found = Reread()
    for quarantine_id in bar(ids, total=len(ids), label="mutations"):
        _reread(quarantine_id, town_code, actor, found)
    return found


def _reread(quarantine_id: UUID, town_code: int, actor: Actor, found: Reread) -> None:
    try:
        with scope(actor, towns=[town_code], reason="its version is known now"):
            row = Quarantine.objects.select_related("mutation", "device__person").get(id=quarantine_id)
            item = read_again(row.mutation)
            why = _why_not(row.mutation, item, row.device)
            if why:
                found.note_waiting(why)
                return
            reason = f"read again by a server that knows version {CURRENT_VERSION}"
            apply_quarantined(quarantine_id, actor=actor, reason=reason)
            found.applied += 1
    except Problem as problem:
        found.note_waiting(problem.code)


def _why_not(mutation: Mutation, item: Item, device: Device) -> str:
    if item.code or item.envelope is None:
        return item.code or "invalid"
    if device.state != Device.State.ACTIVE:
        return "device-revoked"
    others = Quarantine.objects.filter(mutation=mutation, state=Quarantine.State.WAITING)
    if others.exclude(code__in=_LEARNABLE).exists():
        return "other-reason"
    author_id = item.envelope.actor_id or device.person_id
    author = Person.objects.filter(id=author_id).first() if author_id else None
    if author is None or not get_actor(author, on=timezone.localdate()).may(
        Permission.INSPECT, device.town_id
    ):
        return "person-unknown"
    return ""
