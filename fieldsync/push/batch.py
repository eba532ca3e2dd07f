"""One try at a batch, in one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import groupby
from uuid import UUID

import structlog
from django.db import DatabaseError, OperationalError, connection, transaction

from assessment.region.actors import Actor
from assessment.region.errors import Forbidden, Problem
from assessment.region.scope import scope, speaking
from fieldsync.conflicts.services import open_conflicts
from fieldsync.devices.lifecycle import mark_copied
from fieldsync.devices.models import Device
from fieldsync.problems import ITEM_CODES, Reauth
from fieldsync.push import ledger
from fieldsync.push.authors import Authors, author_of
from fieldsync.push.effects import Effect, Effects, apply_items
from fieldsync.push.reading import Item, read_again
from fieldsync.push.results import Result, make_result
from fieldsync.push.rules import Status, advance

log = structlog.get_logger(__name__)


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
        self.grants = grants
        self.fresh_numbers: set[int] = set()
        self.authors: Authors

    def take(self, *, one_by_one: bool) -> list[Result]:
        """Do everything in one transaction."""
        actor = Actor(person_id=None, name="device", device_id=self.device_id)
        with scope(actor, towns=[self.town_code], request_id=self.request_id):
            device = Device.objects.select_related("person").filter(id=self.device_id).first()
            if device is None:
                raise Reauth("This device is not known here.")
            self.device = device
            self.authors = Authors(device, self.grants, clock_offset_ms=self.clock_offset_ms)
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
        effects = self._apply_run([item], self.authors.get(item), one_by_one=True, reason=reason)
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
            elif not item.code and self.authors.find(item) is None:
                item.code = "person-unknown"
            elif not item.code:
                self.authors.look_at_proof(item)
            if not item.code:
                ready.append(item)
        ready.sort(key=lambda item: (item.device_seq, item.index))
        effects: Effects = {}
        for _, grouped in groupby(ready, key=author_of):
            run = list(grouped)
            effects |= self._apply_run(run, self.authors.get(run[0]), one_by_one)
        self._conclude(items, effects)

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
        other.authors = Authors(other.device)
        return other

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
            self.final[item.mutation_id] = make_result(item, effect, device_id=self.device_id, now=self.now)
        clashing = {item.mutation_id for item in items if effects.get(item.mutation_id, _NOTHING).clashes}
        rows = ledger.row_ids(self.town_code, parked.keys() | clashing)
        ledger.quarantine(
            self.device, {key: (rows[key], *said) for key, said in parked.items()}, now=self.now
        )
        for item in items:
            if item.mutation_id in clashing:
                ids = open_conflicts(
                    rows[item.mutation_id],
                    effects[item.mutation_id].clashes,
                    device=self.device,
                    actor=self.authors.get(item),
                    captured_at=item.envelope.captured_at if item.envelope else None,
                    now=self.now,
                )
                self.final[item.mutation_id]["conflict_ids"] = [str(key) for key in ids]

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
            return make_result(item, effect, device_id=self.device_id, now=self.now) | {"index": item.index}
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
