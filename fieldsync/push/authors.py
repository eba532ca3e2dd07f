"""Who made the items of a batch, and what is doubted about it."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from assessment.region.actors import Actor
from assessment.region.models import Person
from fieldsync.devices.auth import collector_on
from fieldsync.devices.models import Device
from fieldsync.devices.sessions import Proofs
from fieldsync.push.reading import Item


class Authors:
    """Those who made the items of one device's batch, each looked up once.

    Parameters
    ----------
    device
        Whose batch it is.
    grants
        What came with the batch to prove who was signed in.
    """

    def __init__(
        self, device: Device, grants: Iterable[object] = (), *, clock_offset_ms: int | None = None
    ) -> None:
        self._device = device
        self._proofs = Proofs(device, grants, clock_offset_ms=clock_offset_ms)
        self._known: dict[UUID | None, Actor | None] = {}

    def put(self, author: UUID | None, actor: Actor) -> None:
        """Let ``actor`` stand for an author, as where a person decides about work of somebody who has left."""
        self._known[author] = actor

    def find(self, item: Item) -> Actor | None:
        """Return who made an item: whom it names, if they have a role in the town, else who carries the device."""
        author = author_of(item)
        if author not in self._known:
            self._known[author] = self._look_up(author)
        return self._known[author]

    def get(self, item: Item) -> Actor:
        """Return who made an item that is being applied: `find` has found them."""
        actor = self.find(item)
        assert actor is not None
        return actor

    def look_at_proof(self, item: Item) -> None:
        """Flag or park what an author made who was not signed in; as the town's policy has it, never refused."""
        if item.envelope is None or item.was_parked:
            return
        doubt = self._proofs.doubt(item.envelope.actor_id, item.envelope.captured_at)
        if doubt and self._proofs.policy == "quarantine":
            item.code = doubt
        elif doubt and self._proofs.policy == "flag":
            item.flags = [doubt]

    def _look_up(self, author: UUID | None) -> Actor | None:
        carrier = self._device.person
        if author is None or (carrier is not None and carrier.id == author):
            return collector_on(self._device, carrier)
        person = Person.objects.filter(id=author).first()
        actor = collector_on(self._device, person) if person else None
        return actor if actor and self._device.town_id in actor.towns else None


def author_of(item: Item) -> UUID | None:
    """Return the person whom an item names, if any."""
    return item.envelope.actor_id if item.envelope else None
