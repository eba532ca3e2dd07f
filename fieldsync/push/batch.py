"""One try at a batch, in one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError, OperationalError, connection, transaction

from assessment.region.actors import Actor
from assessment.region.errors import Forbidden, Problem
from assessment.region.models import Person
from assessment.region.scope import scope, speaking
from fieldsync.conflicts.services import open_conflicts
from fieldsync.devices.auth import collector_on
from fieldsync.devices.lifecycle import mark_copied
from fieldsync.devices.models import Device
from fieldsync.devices.sessions import Proofs
from fieldsync.keys import key_for
from fieldsync.problems import ITEM_CODES, Reauth
from fieldsync.push import ledger
from fieldsync.push.effects import Effect, Effects, apply_items
from fieldsync.push.reading import Item, read_again
from fieldsync.push.rules import Status, advance, receipt

log = structlog.get_logger(__name__)

Result = dict[str, Any]


class Batch:
    """One try at a batch."""

    def __init__(
        self,
        device_id: UUID,
        town_code: int,
        batch_id: UUID,
        items: Sequence[Item],
        now: dt.datetime,
        clock_offset_ms: int | None,
        request_id: str,
        grants: Sequence[object] = (),
    ) -> None:
        self.device_id, self.town_code, self.batch_id, self.items = device_id, town_code, batch_id, items
        self.now, self.clock_offset_ms, self.request_id = now, clock_offset_ms, request_id
        self.device: Device
        self.final: dict[UUID, Result] = {}
        self.actors: dict[UUID | None, Actor | None] = {}
        self.grants = grants
        self.fresh_numbers: set[int] = set()
        self.proofs: Proofs

    def take(self, *, one_by_one: bool) -> list[Result]:
        """Do everything in one transaction."""
        actor = Actor(person_id=None, name="device", device_id=self.device_id)
        with scope(actor, towns=[self.town_code], request_id=self.request_id):
            device = Device.objects.select_related("person").filter(id=self.device_id).first()
            if device is None:
                raise Reauth("This device is not known here.")
            self.device = device
            self.proofs = Proofs(device, self.grants, clock_offset_ms=self.clock_offset_ms)
            first: dict[UUID, Item] = {}
            for item in self.items:
                first.setdefault(item.mutation_id, item)
            fresh = ledger.insert_mutations(
                device,
                list(first.values()),
                batch_id=self.batch_id,
                clock_offset_ms=self.clock_offset_ms,
                now=self.now,
            )
            self.fresh_numbers = {first[key].device_seq for key in fresh if first[key].device_seq > 0}
            known = ledger.find_known(self.town_code, set(first) - fresh)
            again = self._take_held_again(first, known)
            self._note_gaps(list(first.values()))
            ready = [item for key, item in first.items() if key in fresh | again]
            self._apply(ready, one_by_one)
            self._release(ready, one_by_one)
            ledger.store_results(self.town_code, self.final)
            reused = self._keep_reused(first, fresh, known)
        return [self._answer(item, first, fresh | again, known, reused) for item in self.items]

    def apply_decided(self, item: Item, *, reason: str) -> Result:
        """Apply one item because a person decided so, and what had waited for it; nothing is stored yet."""
        author = self._author_of(item)
        actor = self.actors[author]
        assert actor is not None
        effects = self._apply_run([item], actor, one_by_one=True, reason=reason)
        self._conclude([item], effects)
        self._release([item], one_by_one=True)
        return self.final[item.mutation_id]

    # --- effects ---

    def _apply(self, items: Sequence[Item], one_by_one: bool) -> None:
        # What was held and is tried again has stood under its number all the while.
        suspects = ledger.find_reused_numbers(self.device, [item for item in items if not item.was_parked])
        if suspects:
            numbers = [item.device_seq for item in items if item.mutation_id in suspects]
            mark_copied(self.device, numbers=numbers, now=self.now)
        ready = []
        for item in items:
            if item.mutation_id in suspects:
                item.code = item.code or "device-clone-suspected"
            elif not item.code and self.device.state != Device.State.ACTIVE:
                item.code = "device-revoked"
            elif not item.code and self._actor_of(item) is None:
                item.code = "person-unknown"
            elif not item.code:
                self._look_at_proof(item)
            if not item.code:
                ready.append(item)
        ready.sort(key=lambda item: (item.device_seq, item.index))
        effects: Effects = {}
        for author, run in groupby(ready, key=self._author_of):
            actor = self.actors[author]
            assert actor is not None
            effects |= self._apply_run(list(run), actor, one_by_one)
        self._conclude(items, effects)

    def _look_at_proof(self, item: Item) -> None:
        """Flag or park what an author made who was not signed in; as the town's policy has it, never refused."""
        if item.envelope is None or item.was_parked:
            return
        doubt = self.proofs.doubt(item.envelope.actor_id, item.envelope.captured_at)
        if doubt and self.proofs.policy == "quarantine":
            item.code = doubt
        elif doubt and self.proofs.policy == "flag":
            item.flags = [doubt]

    def _apply_run(
        self, run: Sequence[Item], actor: Actor, one_by_one: bool, reason: str = "sent by a tablet"
    ) -> Effects:
        if not one_by_one:
            # What fails here fails the batch, so no savepoint is needed.
            with speaking(actor=actor, reason=reason):
                return apply_items(run, device=self.device, actor=actor)
        with scope(actor, towns=[self.town_code], reason=reason):
            effects: Effects = {}
            for item in run:
                effects |= self._apply_alone(item, actor)
            return effects

    def _apply_alone(self, item: Item, actor: Actor) -> Effects:
        """Apply one item in a savepoint, with the checks that else come at commit; it fails alone."""
        try:
            with transaction.atomic():
                effects = apply_items([item], device=self.device, actor=actor)
                with connection.cursor() as cursor:
                    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                    cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        except OperationalError:
            raise
        except Problem as problem:
            code = "not-permitted" if isinstance(problem, Forbidden) else problem.code
            return {item.mutation_id: Effect(Status.QUARANTINED, code, problem.detail)}
        except (DatabaseError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
            log.exception("a mutation failed", mutation=str(item.mutation_id))
            detail = f"{ITEM_CODES['apply-failed']} ({type(error).__name__})"
            return {item.mutation_id: Effect(Status.QUARANTINED, "apply-failed", detail)}
        return effects

    def _take_held_again(self, first: dict[UUID, Item], known: dict[UUID, ledger.Known]) -> set[UUID]:
        """Return which of the known items are held still; what they wait for may have come.

        Their rows are locked and read again: a batch that brings what they wait for may be applying them.
        """
        held = {
            key for key, row in known.items() if row.status == Status.HELD and row.sha256 == first[key].sha256
        }
        if not held:
            return held
        again = {row.mutation_id for row in ledger.lock_held(self.town_code, mutation_ids=held)}
        known |= ledger.find_known(self.town_code, held - again)
        for key in again:
            first[key].was_parked, first[key].held_since = True, known[key].received_at
            first[key].flags = list(known[key].result.get("flags", ()))
        return again

    def _note_gaps(self, items: Sequence[Item]) -> None:
        """Mark what comes after a number that has not arrived: it may start from that."""
        numbers = sorted(item.device_seq for item in items if item.device_seq > 0)
        acknowledged = self.device.acknowledged_seq
        if not numbers or (numbers[0] <= acknowledged + 1 and numbers[-1] - numbers[0] < len(set(numbers))):
            return
        complete = advance(acknowledged, ledger.numbers_above(self.device_id, acknowledged))
        for item in items:
            item.may_wait = item.device_seq > complete

    def _release(self, items: Sequence[Item], one_by_one: bool) -> None:
        """Apply what had waited for something that came with these items, and what waited for that."""
        here = {item.mutation_id: item for item in items}
        come = [item for item in items if not self._is_held(item)]
        for _ in range(_MOST_ROUNDS):
            arrived = set().union(*(item.brings() for item in come))
            waiting = {
                row.mutation_id: read_again(row)
                for row in ledger.lock_held(self.town_code, held_for=arrived, device_id=self.device_id)
                if row.mutation_id not in here
                or (self._is_held(here[row.mutation_id]) and row.held_for in arrived)
            }
            waiting |= {
                item.mutation_id: item
                for item in here.values()
                if self._is_held(item) and UUID(self.final[item.mutation_id]["held_for"]) in arrived
            }
            for item in waiting.values():
                item.was_parked = True  # its visit may be on record by now; what was seen at it is not
            come = []
            by_device = sorted(waiting.values(), key=lambda item: item.device_id)
            for device_id, run in groupby(by_device, key=lambda item: item.device_id):
                again = list(run)
                taker = self if device_id == self.device_id else self._of_other_device(device_id)
                taker._note_gaps(again)
                taker._apply(again, one_by_one)
                self.final |= taker.final
                here |= {item.mutation_id: item for item in again}
                come += [item for item in again if not self._is_held(item)]
            if not come:
                return

    def _is_held(self, item: Item) -> bool:
        return bool(self.final[item.mutation_id]["status"] == Status.HELD)

    def _of_other_device(self, device_id: UUID) -> Batch:
        other = Batch(device_id, self.town_code, self.batch_id, (), self.now, None, self.request_id)
        other.device = Device.objects.select_related("person").get(id=device_id)
        other.proofs = Proofs(other.device, (), clock_offset_ms=None)
        return other

    def _author_of(self, item: Item) -> UUID | None:
        assert item.envelope is not None
        return item.envelope.actor_id

    def _actor_of(self, item: Item) -> Actor | None:
        """Return who made an item: whom it names, if they have a role in the town, else who carries the device."""
        author = item.envelope.actor_id if item.envelope else None
        if author not in self.actors:
            carrier = self.device.person
            if author is None or (carrier is not None and carrier.id == author):
                self.actors[author] = collector_on(self.device, carrier)
            else:
                person = Person.objects.filter(id=author).first()
                actor = collector_on(self.device, person) if person else None
                self.actors[author] = actor if actor and self.town_code in actor.towns else None
        return self.actors[author]

    # --- results ---

    def _conclude(self, items: Sequence[Item], effects: Effects) -> None:
        parked: dict[UUID, tuple[str, str]] = {}
        for item in items:
            effect = effects.get(item.mutation_id)
            if effect is None:
                status = Status.REJECTED if item.is_rejected else Status.QUARANTINED
                effect = Effect(status, item.code, item.detail or ITEM_CODES.get(item.code, ""))
            if effect.status in (Status.QUARANTINED, Status.REJECTED):
                parked[item.mutation_id] = (effect.code, effect.detail)
            self.final[item.mutation_id] = self._result(item, effect)
        clashing = {item.mutation_id for item in items if effects.get(item.mutation_id, _NOTHING).clashes}
        rows = ledger.row_ids(self.town_code, parked.keys() | clashing)
        ledger.quarantine(
            self.device, {key: (rows[key], *said) for key, said in parked.items()}, now=self.now
        )
        for item in items:
            if item.mutation_id in clashing:
                actor = self._actor_of(item)
                assert actor is not None
                ids = open_conflicts(
                    rows[item.mutation_id],
                    effects[item.mutation_id].clashes,
                    device=self.device,
                    actor=actor,
                    captured_at=item.envelope.captured_at if item.envelope else None,
                    now=self.now,
                )
                self.final[item.mutation_id]["conflict_ids"] = [str(key) for key in ids]

    def _result(self, item: Item, effect: Effect) -> Result:
        result: Result = {"mutation_id": str(item.mutation_id), "status": effect.status.value}
        if effect.code:
            result["code"] = effect.code
            result["detail"] = effect.detail or ITEM_CODES.get(effect.code, "")
        if item.flags:
            result["flags"] = item.flags
        if effect.version is not None:
            result["version"] = effect.version
        if effect.fields:
            result["fields"] = effect.fields
        if effect.held_for is not None:
            result["held_for"] = str(effect.held_for)
            result["held_since"] = (item.held_since or self.now).isoformat()
        if effect.is_soft:
            result["soft"] = True
        if effect.needs_upload is not None:
            result["upload"] = {"needed": effect.needs_upload, "url": "/api/field/v1/uploads"}
        result["receipt"] = receipt(
            device_id=self.device_id,
            mutation_id=item.mutation_id,
            sha256=item.sha256,
            status=effect.status.value,
            key=key_for("receipt"),
        )
        return result

    def _keep_reused(
        self, first: dict[UUID, Item], fresh: set[UUID], known: dict[UUID, ledger.Known]
    ) -> set[int]:
        """Keep every other body that came under a used id; returns the places of such items."""
        others = [
            item
            for item in self.items
            if item.sha256
            != (
                known[item.mutation_id].sha256
                if item.mutation_id in known
                else first[item.mutation_id].sha256
            )
        ]
        if others:
            rows = ledger.row_ids(self.town_code, {item.mutation_id for item in others})
            for item in others:
                row = (rows[item.mutation_id], "id-reused", ITEM_CODES["id-reused"])
                ledger.quarantine(
                    self.device, {item.mutation_id: row}, now=self.now, others={item.mutation_id: item}
                )
        return {item.index for item in others}

    def _answer(
        self,
        item: Item,
        first: dict[UUID, Item],
        applied: set[UUID],
        known: dict[UUID, ledger.Known],
        reused: set[int],
    ) -> Result:
        if item.index in reused:
            effect = Effect(Status.QUARANTINED, "id-reused", ITEM_CODES["id-reused"])
            return self._result(item, effect) | {"index": item.index}
        if item.mutation_id in applied:
            result = dict(self.final[item.mutation_id])
            if first[item.mutation_id] is not item:
                result["duplicate"] = True
        else:
            result = {**known[item.mutation_id].result, "duplicate": True}
        if not item.has_id:
            result |= {"mutation_id": None, "index": item.index}
        return result


_NOTHING = Effect(Status.NOOP)
# A row on a building on a visit: what waits is never deeper than a few.
_MOST_ROUNDS = 8
