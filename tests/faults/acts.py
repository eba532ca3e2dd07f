"""What collectors and the office do, each act drawn at random by the world's seed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from assessment.property.models import Building, Observation, Property
from assessment.property.services import accept_observations, retire_property, update_row
from assessment.region.actors import Actor
from assessment.region.errors import Problem
from assessment.region.scope import scope
from fieldsync.conflicts.models import Conflict
from fieldsync.conflicts.services import resolve_conflict
from fieldsync.devices.lifecycle import clear_copy
from fieldsync.devices.models import Device as DeviceRow
from fieldsync.devices.services import set_device_state
from fieldsync.feed.models import PackageRecord
from fieldsync.packages.services import assign_package, build_package, change_members
from fieldsync.photos.custody import release_upload
from fieldsync.photos.models import Upload
from fieldsync.push.models import Quarantine
from fieldsync.quarantine.services import apply_quarantined, confirm_discard, propose_discard
from tests.cast import SYSTEM, TOWN_A
from tests.faults.entered import Value
from tests.faults.happenings import Happening
from tests.faults.line import Fault
from tests.faults.world import Device, House, World

# Every policy of merging is among them.
CLASHING = ("style", "exterior_wall", "roof_cover", "heat_type", "interior_wall", "floor_cover", "bath_style")
FIELDS = (*CLASHING, "condition", "living_area_sqft", "estimated_fields", "zoning", "comment", "description")
PHOTO_BYTES = (1500, 4000)


def make_value(world: World, name: str, shown: Any, author: str) -> Any:
    """Return a value for a field that nobody entered before, made of what is shown now where it is a list."""
    number = world.token()
    if name == "living_area_sqft":
        return 1000 + 13 * number
    if name == "estimated_fields":
        return [*(shown or []), f"{author}.{number}"]
    if name == "comment":
        return f"{shown}\n\n{author}.{number}" if shown else f"{author}.{number}"
    return f"{author}.{number}"


def path_of(house: House, name: str) -> str:
    """Return the path of a field on the card of a house."""
    if name in ("comment", "zoning"):
        return name
    if name == "description":
        return f"feature/{house.feature_id}/{name}"
    return f"building/{house.building_id}/{name}"


# --- the collector ---


def visit(world: World, device: Device, *, patches: int = 3, photos: int = 3) -> None:
    """See one house: a visit, what was seen at it, some of it twice, and photos."""
    rng, tablet = world.rng, device.tablet
    house = choose_house(world, device)
    seen = {path_of(house, name): name for name in rng.sample(FIELDS, rng.choice((0, 1, 2)))}
    inspection = {
        "kind": "inspection.create",
        "entity_id": str(tablet.make_id()),
        "data": {"property_id": house.property_id, "entry_code": "1", "note": f"visit {world.token()}"},
    }
    with tablet.store.transaction():
        _put_observations(world, device, house, inspection, seen)
        _note(world, device, inspection)
        last = rng.choice(FIELDS)
        for _ in range(patches):
            last = last if rng.random() < 0.3 else rng.choice(FIELDS)
            patch(world, device, house, last, inspection["entity_id"] if rng.random() < 0.5 else None)
        for number in range(photos):
            of = (
                {"inspection_id": inspection["entity_id"]}
                if number % 2
                else {"property_id": house.property_id}
            )
            photograph(world, device, of)


def choose_house(world: World, device: Device) -> House:
    """Return a house of what the tablet carries; of any package, where it carries none."""
    carried = [
        world.by_property[key]
        for package in device.tablet.store.packages()
        for key in device.tablet.cards(package)
        if key in world.by_property
    ]
    return world.rng.choice(sorted(carried, key=lambda house: house.number) or world.houses)


def _put_observations(
    world: World, device: Device, house: House, inspection: dict[str, Any], seen: dict[str, str]
) -> None:
    shown = device.tablet.shown_fields(house.property_id)
    changes = {
        path: {"base": shown.get(path), "new": make_value(world, name, shown.get(path), f"t{device.number}")}
        for path, name in seen.items()
    }
    if device.tablet.schema_version == 1:
        inspection["data"]["observations"] = changes
    else:
        inspection["changes"] = changes


def patch(world: World, device: Device, house: House, name: str, inspection_id: str | None = None) -> None:
    """Change one field of a card."""
    path = path_of(house, name)
    shown = device.tablet.shown_fields(house.property_id).get(path)
    body: dict[str, Any] = {
        "kind": "card.patch",
        "entity_id": house.property_id,
        "changes": {path: {"base": shown, "new": make_value(world, name, shown, f"t{device.number}")}},
    }
    if inspection_id is not None:
        body["data"] = {"inspection_id": inspection_id}
    _note(world, device, body)


def photograph(world: World, device: Device, of: dict[str, str]) -> None:
    """Take a photo, unlike any other."""
    rng = world.rng
    content = b"\xff\xd8\xff\xe0" + rng.randbytes(rng.randint(*PHOTO_BYTES))
    photo_id = device.tablet.take_photo(content, **of)
    (body,) = device.tablet.store.bodies_of(photo_id)
    world.entered.note(device.number, body)
    device.mutations += 1
    device.photos += 1


def oddity(world: World, device: Device) -> None:
    """Enter something that no server can apply as it stands; it must be kept nevertheless."""
    house = choose_house(world, device)
    path, number = path_of(house, "style"), world.token()
    change = {"base": None, "new": f"t{device.number}.{number}"}
    odd: dict[str, Any] = world.rng.choice([
        {"kind": "card.sing"},
        {"entity_id": str(device.tablet.make_id())},
        {"changes": {"no_such_field": change}},
        {"changes": {path_of(house, "living_area_sqft"): change}},
        {"schema_version": 99},
        {"changes": {path: {**change, "new": f"half of a pair \ud800 {number}"}}},
        {"data": {"list_year": "next"}},
        {"changes": {f"building/{device.tablet.make_id()}/style": change}},
    ])  # fmt: skip
    enter(world, device, house, {"changes": {path: change}, **odd})
    world.happen(Happening.ODDITY)


def enter(world: World, device: Device, house: House, body: dict[str, Any]) -> None:
    """Put a change of a card in the outbox as it is stated; what is not stated is as it should be."""
    number = world.token()
    change = {"base": None, "new": f"t{device.number}.{number}"}
    changes = {path_of(house, "style"): change}
    _note(world, device, {"kind": "card.patch", "entity_id": house.property_id, "changes": changes, **body})


def _note(world: World, device: Device, body: dict[str, Any]) -> None:
    world.entered.note(device.number, device.tablet.record(body))
    device.mutations += 1


def jump_clock(world: World, device: Device) -> None:
    """Let the tablet's clock go wrong by up to a year, or right again."""
    before = device.clock_offset
    device.clock_offset = world.rng.choice((0, 0, -1, 1)) * dt.timedelta(days=world.rng.randint(1, 366))
    world.happen(Happening.CLOCK, device.clock_offset != before)


def update_app(world: World, device: Device) -> None:
    """Install today's app over one of version 1; what is in the outbox stays as it was written."""
    world.happen(Happening.NEW_APP, device.tablet.schema_version != 2)
    device.reopen(world, schema_version=2)


def copy_tablet(world: World) -> None:
    """Copy a tablet that was not copied yet: two go on under one identity, and give the same numbers."""
    alone = [device for device in world.devices if not device.is_out and len(world.twins_of(device)) == 1]
    if alone:
        world.copy_tablet(world.rng.choice(alone))
        world.happen(Happening.COPIED)


# --- faults of the line ---


def plan_faults(world: World, device: Device, *, most: int, among: int = 34) -> None:
    """Plan 1 to ``most`` faults for the next ``among`` requests of a tablet."""
    rng = world.rng
    faults = {}
    for _ in range(rng.randint(1, most)):
        fault = rng.choice(list(Fault))
        where = rng.randint(1, 16) if fault in (Fault.CRASH, Fault.NO_DATABASE) else rng.randrange(1 << 16)
        faults[rng.randint(1, among)] = (fault, where)
    device.line.break_at(faults)


def break_for_certain(world: World, device: Device) -> None:
    """Let the next request of a tablet break, whichever it is."""
    fault = world.rng.choice((Fault.LOST, Fault.BODY_CUT, Fault.ANSWER_LOST, Fault.ANSWER_CUT))
    device.line.break_at({1: (fault, world.rng.randrange(1 << 16))})


# --- the office ---


def edit(world: World) -> None:
    """Change a field of a card at the desk."""
    house, name = (
        world.rng.choice(world.houses),
        world.rng.choice((*CLASHING, "condition", "comment", "zoning")),
    )
    with scope(world.office, towns=[TOWN_A], reason="desk"):
        kind = "property" if name in ("comment", "zoning") else "building"
        target = house.property_id if kind == "property" else house.building_id
        row = (Property if kind == "property" else Building)._default_manager.filter(id=target).first()
        if row is None:
            return
        shown = getattr(row, name)
        value = make_value(world, name, shown, "o")
        update_row(
            UUID(house.property_id), actor=world.office, target_kind=kind, target_id=UUID(target),
            reason="desk", **{name: value},
        )  # fmt: skip
    world.happen(Happening.EDITED)
    entered = value.rpartition("\n\n")[2] if name == "comment" else value
    world.entered.office.append(Value(house.property_id, kind, target, name, entered))


def resolve(world: World) -> None:
    """Answer one open conflict."""
    with scope(world.office, towns=[TOWN_A]):
        open_ones = list(Conflict.objects.filter(state="open").order_by("mutation__device_seq", "field")[:20])
        if not open_ones:
            return
        conflict = world.rng.choice(open_ones)
        choice = world.rng.choice((Conflict.State.FIELD, Conflict.State.OFFICE))
    done = _attempt(
        world, lambda: resolve_conflict(conflict.id, actor=world.office, choice=choice, reason="as seen")
    )
    world.happen(Happening.ANSWERED, done)


def accept(world: World) -> None:
    """Accept what waits, some of it."""
    with scope(world.office, towns=[TOWN_A]):
        waiting = list(Observation.objects.filter(state="pending").order_by("created_at", "id")[:10])
    done = _attempt(
        world, lambda: accept_observations([row.id for row in waiting], actor=world.office, reason="seen")
    )
    world.happen(Happening.ACCEPTED, done and bool(waiting))


def apply_parked(world: World) -> None:
    """Apply some of what waits in quarantine, and let photos count."""
    with scope(world.office, towns=[TOWN_A]):
        rows = Quarantine.objects.filter(state="waiting").order_by("mutation__device_seq", "id")
        waiting = list(rows.values_list("id", flat=True)[:8])
        uploads = list(
            Upload.objects.filter(state="quarantined").order_by("began_at").values_list("id", flat=True)[:8]
        )
    for key in waiting:
        done = _attempt(world, partial(apply_quarantined, key, actor=world.office, reason="it is right"))
        world.happen(Happening.APPLIED, done)
    for key in uploads:
        _attempt(world, partial(release_upload, key, actor=world.office, reason="it is ours"))


def discard(world: World) -> None:
    """Discard one thing that waits in quarantine: one person proposes it, another one agrees."""
    with scope(world.office, towns=[TOWN_A]):
        rows = Quarantine.objects.filter(state="waiting").order_by("mutation__device_seq", "id")
        key = rows.values_list("id", flat=True).first()
    if key is not None and _attempt(
        world, lambda: propose_discard(key, actor=world.office, reason="no house of ours")
    ):
        done = _attempt(
            world, lambda: confirm_discard(key, actor=world.second, reason="none"), actor=world.second
        )
        world.happen(Happening.DISCARDED, done)


def move_house(world: World) -> None:
    """Take a house out of one package and put it into another."""
    rng = world.rng
    house, source, target = rng.choice(world.houses), rng.choice(world.packages), rng.choice(world.packages)
    key = UUID(house.property_id)
    with scope(SYSTEM, towns=[TOWN_A], reason="the route was changed"):
        left = PackageRecord.objects.filter(package_id=source, op="put").exclude(record_id=key).exists()
        if source != target and left:
            change_members(UUID(source), actor=SYSTEM, remove=[key])
            change_members(UUID(target), actor=SYSTEM, add=[key])
            world.happen(Happening.MOVED)


def reassign(world: World) -> None:
    """Give a package to another tablet."""
    package, device = world.rng.choice(world.packages), world.rng.choice(world.devices)
    done = _attempt(world, lambda: assign_package(UUID(package), UUID(device.tablet.device_id), actor=SYSTEM))
    world.happen(Happening.REASSIGNED, done)


def rebuild(world: World) -> None:
    """Write the parts of a package anew."""
    build_package(UUID(world.rng.choice(world.packages)), town_code=TOWN_A, actor=SYSTEM)
    world.happen(Happening.REBUILT)


def retire(world: World) -> None:
    """Retire an account that tablets may be changing at this moment."""
    house, day = world.rng.choice(world.houses), dt.date(2026, 1, 1)
    key = UUID(house.property_id)
    done = _attempt(world, lambda: retire_property(key, actor=world.office, retired_on=day, reason="merged"))
    world.happen(Happening.RETIRED, done)


def suspend(world: World) -> None:
    """Suspend a tablet, or let it in again."""
    device = world.rng.choice([device for device in world.devices if not device.is_out])
    state = _state_of(world, device)
    wanted = DeviceRow.State.SUSPENDED if state == DeviceRow.State.ACTIVE else DeviceRow.State.ACTIVE
    set_state(world, device, wanted)
    world.happen(Happening.SUSPENDED if wanted == DeviceRow.State.SUSPENDED else Happening.RESUMED)


def let_in(world: World) -> None:
    """Let every suspended tablet in again."""
    for device in world.devices:
        if not device.is_out and _state_of(world, device) == DeviceRow.State.SUSPENDED:
            set_state(world, device, DeviceRow.State.ACTIVE)
            world.happen(Happening.RESUMED)


def _state_of(world: World, device: Device) -> str:
    with scope(world.office, towns=[TOWN_A]):
        return str(DeviceRow.objects.values_list("state", flat=True).get(id=device.tablet.device_id))


def set_state(world: World, device: Device, state: Any, wipe: Any = DeviceRow.Wipe.NONE) -> None:
    """Suspend, revoke or let in again."""
    key = UUID(device.tablet.device_id)
    with scope(world.office, towns=[TOWN_A], reason="lost"):
        set_device_state(key, state, actor=world.office, reason="lost", wipe=wipe)


def revoke(world: World) -> None:
    """Revoke a tablet for good; it is to hand over what it has and be empty then. One stays in any case."""
    active = [device for device in world.devices if not device.is_out]
    if len({device.tablet.device_id for device in active}) > 2:
        device = world.rng.choice(active)
        for twin in world.twins_of(device):
            twin.is_out = True
        set_state(world, device, DeviceRow.State.REVOKED, DeviceRow.Wipe.AFTER_UPLOAD)
        world.happen(Happening.REVOKED)


def clear_up_copies(world: World, *, keep: bool = False) -> None:
    """Find the tablets that share an identity: each hands over what it has, and the office clears it up.

    The copies are emptied and taken out of use, unless they are to be kept; the first counts on behind all
    numbers that were used. It is left for another day where one of them does not get through.
    """
    for device in [device for device in world.devices if not device.is_out]:
        twins = world.twins_of(device)
        if device is not twins[0] or len(twins) == 1:
            continue
        if not all(_hand_over(world, twin) for _ in range(2) for twin in twins):
            continue
        if not keep:
            for copy in twins[1:]:
                copy.tablet.wipe()
                copy.is_out = copy.is_wiped = True
                world.backup = None  # what only the copy held is in no older backup
        key = UUID(device.tablet.device_id)
        with scope(world.office, towns=[TOWN_A], reason="found"):
            clear_copy(key, actor=world.office, reason="found")
        world.happen(Happening.CLEARED)


def _hand_over(world: World, device: Device) -> bool:
    device.line.mend()
    return world.attempt(device, device.tablet.refill)


def _attempt(world: World, act: Callable[[], Any], *, actor: Actor | None = None) -> bool:
    """Do what the office may rightly be refused: the card is retired, the conflict was answered."""
    try:
        with scope(actor or world.office, towns=[TOWN_A], reason="desk"):
            act()
    except Problem:
        return False
    return True


OFFICE: tuple[tuple[Callable[[World], None], int], ...] = (
    (edit, 40),
    (resolve, 10),
    (accept, 6),
    (apply_parked, 5),
    (discard, 1),
    (move_house, 10),
    (reassign, 3),
    (rebuild, 3),
    (retire, 1),
    (suspend, 3),
)


def office_act(world: World) -> None:
    """Do one thing at the office."""
    acts, weights = zip(*OFFICE, strict=True)
    world.rng.choices(acts, weights)[0](world)
