"""Nothing leaves quarantine without a person, and what they decide happens once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, transaction

from assessment.property.models import Building, Inspection, Observation, Photo
from assessment.property.services import add_row
from assessment.region.errors import Conflict as StateConflict
from assessment.region.errors import Forbidden, Invalid, NotFound
from assessment.region.models import Person
from assessment.region.scope import scope
from fieldsync.client import Tablet
from fieldsync.devices import services as device_services
from fieldsync.devices.models import Device
from fieldsync.photos.models import Upload
from fieldsync.push.models import Mutation, Quarantine
from fieldsync.quarantine import selectors, services
from tests.cast import SYSTEM, TOWN_A, TOWN_B, Cast
from tests.fieldsync.conftest import House, MakeTablet
from tests.fieldsync.push.test_push import building, lenient, take  # noqa: F401  a fixture among them

pytestmark = pytest.mark.usefixtures("lenient")


def revoke(tablet: Tablet) -> None:
    tablet.me()
    with scope(SYSTEM, towns=[TOWN_A], reason="lost"):
        device_services.set_device_state(
            UUID(tablet.device_id), Device.State.REVOKED, actor=SYSTEM, reason="lost"
        )


@pytest.fixture
def waiting(tablet: Tablet, houses: list[House]) -> Quarantine:
    """A change of style that came from a tablet after it was revoked."""
    take(tablet, houses)
    tablet.patch_card(str(houses[0].property_id), {houses[0].path("style"): "Ranch"})
    revoke(tablet)
    tablet.push()
    with scope(SYSTEM, towns=[TOWN_A]):
        return Quarantine.objects.select_related("mutation").get()


def decide(
    cast: Cast,
    person: Person,
    service: Callable[..., Any],
    key: UUID,
    reason: str = "asked the collector",
    **more: Any,
) -> Quarantine:
    actor = cast.actor(person)
    with scope(actor, towns=[TOWN_A], reason=reason):
        made = service(key, actor=actor, reason=reason, **more)
        assert isinstance(made, Quarantine)
        return made


def status_of(tablet: Tablet, row: Quarantine) -> dict[str, Any]:
    ids = [str(row.mutation.mutation_id)]
    (result,) = tablet.transport.send("POST", "mutations/status", json={"ids": ids}).json()["results"]
    return dict(result)


def test_what_is_applied_is_on_record_once_and_the_tablet_learns_it(
    cast: Cast, tablet: Tablet, houses: list[House], waiting: Quarantine
) -> None:
    assert status_of(tablet, waiting)["status"] == "quarantined"
    for _ in range(2):
        done = decide(cast, cast.assessor_a, services.apply_quarantined, waiting.id)
        assert (done.state, done.decided_by, done.reason) == (
            "applied",
            cast.assessor_a,
            "asked the collector",
        )
    assert building(houses[0]).style == "Ranch"
    with scope(SYSTEM, towns=[TOWN_A]):
        seen = Observation.objects.get()
        assert seen.observed_by == cast.collector_a
        assert selectors.count_quarantine(TOWN_A) == 0
    told = status_of(tablet, waiting)
    assert (told["status"], told["settled"]) == ("applied", "applied")
    (again,) = tablet.push_batch([waiting.mutation.body])["results"]
    assert (again["status"], again["duplicate"]) == ("applied", True)


def test_what_clashes_when_it_is_applied_becomes_a_conflict(
    cast: Cast, tablet: Tablet, houses: list[House], waiting: Quarantine
) -> None:
    with scope(SYSTEM, towns=[TOWN_A], reason="the office"):
        Building.objects.filter(id=houses[0].building_id).update(style="Victorian")
    decide(cast, cast.assessor_a, services.apply_quarantined, waiting.id)
    told = status_of(tablet, waiting)
    assert (told["status"], len(told["conflict_ids"])) == ("conflict", 1)
    assert building(houses[0]).style == "Victorian"


def test_two_persons_discard(cast: Cast, tablet: Tablet, houses: list[House], waiting: Quarantine) -> None:
    decide(cast, cast.assessor_a, services.propose_discard, waiting.id, "a test of the tablet")
    with pytest.raises(Forbidden):
        decide(cast, cast.assessor_a, services.confirm_discard, waiting.id)
    with pytest.raises(StateConflict):
        decide(cast, cast.deputy_a, services.propose_discard, waiting.id)
    done = decide(cast, cast.deputy_a, services.confirm_discard, waiting.id, "agreed")
    assert (done.state, done.proposed_by, done.decided_by) == ("discarded", cast.assessor_a, cast.deputy_a)
    told = status_of(tablet, waiting)
    assert (told["status"], told["settled"]) == ("quarantined", "discarded")
    assert "a test of the tablet" in told["detail"]
    assert building(houses[0]).style == "Colonial"
    with pytest.raises(StateConflict):
        decide(cast, cast.assessor_a, services.apply_quarantined, waiting.id)
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Mutation.objects.get().body == waiting.mutation.body


def test_nobody_discards_alone_not_even_by_sql(waiting: Quarantine, cast: Cast) -> None:
    with (
        scope(SYSTEM, towns=[TOWN_A], reason="tampering"),
        pytest.raises(IntegrityError),
        transaction.atomic(),
    ):
        Quarantine.objects.update(state="discarded", proposed_by=cast.deputy_a, decided_by=cast.deputy_a)


def test_a_proposal_can_be_withdrawn_and_nothing_is_discarded_without_one(
    cast: Cast, waiting: Quarantine
) -> None:
    with pytest.raises(StateConflict):
        decide(cast, cast.deputy_a, services.confirm_discard, waiting.id)
    decide(cast, cast.assessor_a, services.propose_discard, waiting.id)
    back = decide(cast, cast.deputy_a, services.withdraw_discard, waiting.id, "it is real")
    assert (back.state, back.proposed_by) == ("waiting", None)
    with pytest.raises(StateConflict):
        decide(cast, cast.deputy_a, services.confirm_discard, waiting.id)


def test_a_mutation_that_cannot_be_read_becomes_a_visit_with_everything_it_says(
    cast: Cast, tablet: Tablet, houses: list[House]
) -> None:
    house = houses[0]
    tablet.record({"kind": "house.paint", "entity_id": str(uuid4()), "data": {"colour": "teal"}})
    tablet.push()
    with scope(SYSTEM, towns=[TOWN_A]):
        row = Quarantine.objects.get()
    with pytest.raises(Invalid, match="still cannot be applied"):
        decide(cast, cast.assessor_a, services.apply_quarantined, row.id)
    with pytest.raises(Invalid, match="Name the property"):
        decide(cast, cast.assessor_a, services.apply_as_inspection, row.id)
    done = decide(cast, cast.assessor_a, services.apply_as_inspection, row.id, property_id=house.property_id)
    with scope(SYSTEM, towns=[TOWN_A]):
        visit = Inspection.objects.get(id=done.inspection_id)
    assert visit.property_id == house.property_id
    assert "teal" in visit.note
    assert not visit.is_full_inspection
    told = status_of(tablet, done)
    assert (told["status"], told["settled"]) == ("applied", "as-new-inspection")


def test_what_fails_when_it_is_applied_changes_nothing_and_waits_on(
    cast: Cast, tablet: Tablet, houses: list[House]
) -> None:
    key = str(houses[0].property_id)
    tablet.record(
        {
            "kind": "card.patch",
            "entity_id": key,
            "changes": {
                houses[0].path("style"): {"base": "Colonial", "new": "Ranch"},
                "no_such_field": {"base": 1, "new": 2},
            },
        }
    )
    tablet.push()
    with scope(SYSTEM, towns=[TOWN_A]):
        row = Quarantine.objects.get()
    with pytest.raises(Invalid):
        decide(cast, cast.assessor_a, services.apply_quarantined, row.id)
    assert building(houses[0]).style == "Colonial"
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Quarantine.objects.get().state == "waiting"
        assert not Observation.objects.exists()


def test_the_second_body_under_an_id_is_applied_as_a_change_of_its_own(
    cast: Cast, tablet: Tablet, houses: list[House]
) -> None:
    take(tablet, houses)
    house = houses[0]
    first = tablet.patch_card(str(house.property_id), {house.path("style"): "Ranch"})
    tablet.push()
    other = {**first, "changes": {house.path("year_built"): {"base": 1950, "new": 1951}}}
    tablet.push_batch([other])
    with scope(SYSTEM, towns=[TOWN_A]):
        row = Quarantine.objects.get()
    for _ in range(2):
        decide(cast, cast.assessor_a, services.apply_quarantined, row.id)
    made = building(house)
    assert (made.style, made.year_built) == ("Ranch", 1951)
    with scope(SYSTEM, towns=[TOWN_A]):
        assert sorted(Mutation.objects.values_list("status", flat=True)) == ["applied", "applied"]
    assert tablet.reconcile()["missing_mutations"] == []


def test_what_had_waited_for_it_is_applied_with_it(cast: Cast, tablet: Tablet, houses: list[House]) -> None:
    inspection_id = str(uuid4())
    tablet.record(
        {
            "kind": "inspection.create",
            "entity_id": inspection_id,
            "actor_id": str(cast.collector_b.id),
            "data": {"property_id": str(houses[0].property_id), "entry_code": "01"},
        }
    )
    tablet.take_photo(b"\xff\xd8\xff" + b"x" * 500, inspection_id=inspection_id)
    visit, photo = tablet.push()
    assert (visit["code"], photo["status"]) == ("person-unknown", "held")
    with scope(SYSTEM, towns=[TOWN_A]):
        row = Quarantine.objects.get()
    decide(cast, cast.assessor_a, services.apply_quarantined, row.id)
    with scope(SYSTEM, towns=[TOWN_A]):
        assert str(Photo.objects.get().inspection_id) == inspection_id
        assert Inspection.objects.get().inspected_by == cast.assessor_a
        assert set(Mutation.objects.values_list("status", flat=True)) == {"applied"}


def test_what_had_waited_for_something_discarded_comes_before_a_person(
    cast: Cast, tablet: Tablet, houses: list[House]
) -> None:
    barn, key = str(uuid4()), str(houses[0].property_id)
    tablet.record(
        {
            "kind": "card.patch", "entity_id": key, "actor_id": str(cast.collector_b.id),
            "changes": {f"building/{barn}/*": {"new": {"style": "Barn"}}},
        }
    )  # fmt: skip
    change = {f"building/{barn}/style": {"base": "Barn", "new": "Stable"}}
    tablet.record({"kind": "card.patch", "entity_id": key, "changes": change})
    assert [r["status"] for r in tablet.push()] == ["quarantined", "held"]
    with scope(SYSTEM, towns=[TOWN_A]):
        row = Quarantine.objects.get()
    decide(cast, cast.assessor_a, services.propose_discard, row.id)
    decide(cast, cast.deputy_a, services.confirm_discard, row.id)
    with scope(SYSTEM, towns=[TOWN_A]):
        (left,) = selectors.list_quarantine(TOWN_A)
        assert (left.code, selectors.list_held(TOWN_A).count()) == ("predecessor-unknown", 0)


def test_what_is_held_for_ever_can_be_put_before_a_person(
    cast: Cast, tablet: Tablet, houses: list[House]
) -> None:
    import datetime as dt

    barn, key = str(uuid4()), str(houses[0].property_id)
    change = {f"building/{barn}/style": {"base": "Barn", "new": "Stable"}}
    tablet.record({"kind": "card.patch", "entity_id": key, "changes": change})
    tablet.push()
    with scope(SYSTEM, towns=[TOWN_A]):
        (held,) = selectors.list_held(TOWN_A)
        assert selectors.count_held_long(TOWN_A, now=held.received_at) == 0
        assert selectors.count_held_long(TOWN_A, now=held.received_at + dt.timedelta(days=2)) == 1
    row = decide(cast, cast.assessor_a, services.quarantine_held, held.id, "that tablet was crushed")
    with scope(SYSTEM, towns=[TOWN_A], reason="found by the office"):
        add_row(
            houses[0].property_id, actor=SYSTEM, target_kind="building", reason="found", row_id=UUID(barn), style="Barn"
        )  # fmt: skip
    decide(cast, cast.assessor_a, services.apply_quarantined, row.id)
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Building.objects.get(id=barn).style == "Stable"
    with pytest.raises(NotFound):
        decide(cast, cast.assessor_a, services.quarantine_held, held.id)


@pytest.mark.parametrize(
    "service", [services.apply_quarantined, services.propose_discard, services.apply_as_inspection]
)
def test_who_may_decide_and_with_what_reason(
    cast: Cast, waiting: Quarantine, service: Callable[..., Any]
) -> None:
    with pytest.raises(Forbidden):
        decide(cast, cast.collector_a, service, waiting.id)
    with pytest.raises(Invalid):
        decide(cast, cast.assessor_a, service, waiting.id, " ")
    stranger = cast.actor(cast.assessor_b)
    with scope(stranger, towns=[TOWN_B], reason="spying"), pytest.raises(NotFound):
        service(waiting.id, actor=stranger, reason="spying")


def test_a_revoked_tablet_s_photo_is_deposited_and_applied(
    cast: Cast, make_tablet: MakeTablet, houses: list[House]
) -> None:
    tablet = make_tablet()
    tablet.take_photo(b"\xff\xd8\xff" + b"x" * 500, property_id=str(houses[0].property_id))
    revoke(tablet)
    (result,) = tablet.push()
    assert result["code"] == "device-revoked"
    with scope(SYSTEM, towns=[TOWN_A]):
        row = Quarantine.objects.get()
        assert not Photo.objects.exists()
    decide(cast, cast.assessor_a, services.apply_quarantined, row.id)
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Photo.objects.get().property_id == houses[0].property_id


def test_the_bytes_of_a_photo_that_is_applied_are_released_with_it(
    cast: Cast, make_tablet: MakeTablet, houses: list[House]
) -> None:
    tablet = make_tablet()
    key = str(houses[0].property_id)
    wanted, other = (
        tablet.take_photo(b"\xff\xd8\xff" + letter * 500, property_id=key) for letter in (b"x", b"y")
    )
    revoke(tablet)
    tablet.push()
    tablet.upload_photos()
    with scope(SYSTEM, towns=[TOWN_A]):
        row = Quarantine.objects.get(mutation__entity_id=wanted)
        assert set(Upload.objects.values_list("state", flat=True)) == {"quarantined"}
    decide(cast, cast.assessor_a, services.apply_quarantined, row.id)
    with scope(SYSTEM, towns=[TOWN_A]):
        photo = Photo.objects.get()
        assert (str(photo.id), photo.state, photo.byte_count) == (wanted, "verified", 503)
        states = dict(Upload.objects.values_list("photo_id", "state"))
        assert states == {UUID(wanted): "verified", UUID(other): "quarantined"}
        assert Upload.objects.get(photo_id=wanted).decided_by == cast.assessor_a


def test_a_photo_that_waited_for_its_visit_is_released_with_the_visit(
    cast: Cast, make_tablet: MakeTablet, houses: list[House]
) -> None:
    tablet = make_tablet()
    visit = str(uuid4())
    tablet.record(
        {
            "kind": "inspection.create",
            "entity_id": visit,
            "actor_id": str(cast.collector_b.id),
            "data": {"property_id": str(houses[0].property_id), "entry_code": "01"},
        }
    )
    tablet.take_photo(b"\xff\xd8\xff" + b"x" * 500, inspection_id=visit)
    assert [each["status"] for each in tablet.push()] == ["quarantined", "held"]
    device = UUID(tablet.device_id)
    with scope(SYSTEM, towns=[TOWN_A], reason="mislaid"):
        row = Quarantine.objects.get()
        device_services.set_device_state(device, Device.State.SUSPENDED, actor=SYSTEM, reason="mislaid")
    tablet.upload_photos()
    with scope(SYSTEM, towns=[TOWN_A], reason="found"):
        device_services.set_device_state(device, Device.State.ACTIVE, actor=SYSTEM, reason="found")
    decide(cast, cast.assessor_a, services.apply_quarantined, row.id)
    with scope(SYSTEM, towns=[TOWN_A]):
        assert (Photo.objects.get().state, Upload.objects.get().state) == ("verified", "verified")
