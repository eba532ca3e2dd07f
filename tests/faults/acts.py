"""What collectors and the office do, each act drawn at random by the world's seed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from uuid import UUID

from assessment.property.models import Building, Observation, Property
from assessment.property.services import accept_observations, retire_property, update_row
from assessment.region.errors import Problem
from assessment.region.scope import scope
from fieldsync.conflicts.models import Conflict
from fieldsync.conflicts.services import resolve_conflict
from fieldsync.devices.models import Device as DeviceRow
from fieldsync.devices.services import set_device_state
from fieldsync.feed.models import PackageRecord
from fieldsync.packages.services import assign_package, build_package, change_members
from fieldsync.photos.custody import release_upload
from fieldsync.photos.models import Upload
from fieldsync.push.models import Quarantine
from fieldsync.quarantine.services import apply_quarantined
from tests.cast import SYSTEM, TOWN_A
from tests.faults.entered import Value
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


def enter(world: World, device: Device, house: House, body: dict[str, Any]) -> None:
    """Put a change of a card in the outbox as it is stated; what is not stated is as it should be."""
    number = world.token()
    change = {"base": None, "new": f"t{device.number}.{number}"}
    changes = {path_of(house, "style"): change}
    _note(world, device, {"kind": "card.patch", "entity_id": house.property_id, "changes": changes, **body})


def _note(world: World, device: Device, body: dict[str, Any]) -> None:
    world.entered.note(device.number, device.tablet.record(body))


def jump_clock(world: World, device: Device) -> None:
    """Let the tablet's clock go wrong by up to a year, or right again."""
    device.clock_offset = world.rng.choice((0, 0, -1, 1)) * dt.timedelta(days=world.rng.randint(1, 366))


def update_app(world: World, device: Device) -> None:
    """Install today's app over one of version 1; what is in the outbox stays as it was written."""
    device.reopen(world, schema_version=2)


# --- faults of the line ---


def plan_faults(world: World, device: Device, *, most: int, among: int = 34) -> None:
    """Plan 1 to ``most`` faults for the next ``among`` requests of a tablet."""
    rng = world.rng
    faults = {}
    for _ in range(rng.randint(1, most)):
        fault = rng.choice(list(Fault))
        where = rng.randint(1, 30) if fault in (Fault.CRASH, Fault.NO_DATABASE) else rng.randrange(1 << 16)
        faults[rng.randint(1, among)] = (fault, where)
    device.line.break_at(faults)


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
    _attempt(
        world, lambda: resolve_conflict(conflict.id, actor=world.office, choice=choice, reason="as seen")
    )


def accept(world: World) -> None:
    """Accept what waits, some of it."""
    with scope(world.office, towns=[TOWN_A]):
        waiting = list(Observation.objects.filter(state="pending").order_by("created_at", "id")[:10])
    _attempt(
        world, lambda: accept_observations([row.id for row in waiting], actor=world.office, reason="seen")
    )


def apply_parked(world: World) -> None:
    """Apply some of what waits in quarantine, and let photos count."""
    with scope(world.office, towns=[TOWN_A]):
        rows = Quarantine.objects.filter(state="waiting").order_by("mutation__device_seq", "id")
        waiting = list(rows.values_list("id", flat=True)[:8])
        uploads = list(
            Upload.objects.filter(state="quarantined").order_by("began_at").values_list("id", flat=True)[:8]
        )
    for key in waiting:
        _attempt(world, lambda key=key: apply_quarantined(key, actor=world.office, reason="it is right"))
    for key in uploads:
        _attempt(world, lambda key=key: release_upload(key, actor=world.office, reason="it is ours"))


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


def reassign(world: World) -> None:
    """Give a package to another tablet."""
    package, device = world.rng.choice(world.packages), world.rng.choice(world.devices)
    _attempt(world, lambda: assign_package(UUID(package), UUID(device.tablet.device_id), actor=SYSTEM))


def rebuild(world: World) -> None:
    """Write the parts of a package anew."""
    build_package(UUID(world.rng.choice(world.packages)), town_code=TOWN_A, actor=SYSTEM)


def retire(world: World) -> None:
    """Retire an account that tablets may be changing at this moment."""
    house, day = world.rng.choice(world.houses), dt.date(2026, 1, 1)
    key = UUID(house.property_id)
    _attempt(world, lambda: retire_property(key, actor=world.office, retired_on=day, reason="merged"))


def suspend(world: World) -> None:
    """Suspend a tablet, or let it in again."""
    device = world.rng.choice([device for device in world.devices if not device.is_out])
    with scope(world.office, towns=[TOWN_A], reason="lost"):
        state = DeviceRow.objects.values_list("state", flat=True).get(id=device.tablet.device_id)
    wanted = DeviceRow.State.SUSPENDED if state == DeviceRow.State.ACTIVE else DeviceRow.State.ACTIVE
    set_state(world, device, wanted)


def set_state(world: World, device: Device, state: Any, wipe: Any = DeviceRow.Wipe.NONE) -> None:
    """Suspend, revoke or let in again."""
    key = UUID(device.tablet.device_id)
    with scope(world.office, towns=[TOWN_A], reason="lost"):
        set_device_state(key, state, actor=world.office, reason="lost", wipe=wipe)


def revoke(world: World) -> None:
    """Revoke a tablet for good; it is to hand over what it has and be empty then. One stays in any case."""
    active = [device for device in world.devices if not device.is_out]
    if len(active) > 2:
        device = world.rng.choice(active)
        device.is_out = True
        set_state(world, device, DeviceRow.State.REVOKED, DeviceRow.Wipe.AFTER_UPLOAD)


def _attempt(world: World, act: Callable[[], Any]) -> None:
    """Do what the office may rightly be refused: the card is retired, the conflict was answered."""
    try:
        with scope(world.office, towns=[TOWN_A], reason="desk"):
            act()
    except Problem:
        return


OFFICE: tuple[tuple[Callable[[World], None], int], ...] = (
    (edit, 40),
    (resolve, 10),
    (accept, 6),
    (apply_parked, 5),
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
