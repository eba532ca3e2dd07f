"""A re-check from its draw to its end, through two people's tablets."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from assessment.jobs import runs
from assessment.jobs.models import Job
from assessment.property.models import Building, Observation
from assessment.region.errors import Conflict, Invalid
from assessment.region.ids import new_id
from assessment.region.scope import scope
from fieldsync.client import Tablet
from fieldsync.conflicts.models import Conflict as FieldConflict
from fieldsync.packages import services as packages
from fieldsync.packages.models import Package
from fieldsync.quality import services
from fieldsync.quality.comparing import COMPARE_RECHECK
from fieldsync.quality.models import Recheck
from fieldsync.quality.selectors import Batch
from tests.canaries.world import picture
from tests.cast import SYSTEM, TOWN_A, Cast
from tests.fieldsync.conftest import House, MakeTablet, draw
from tests.fieldsync.office.test_pages import FIELD, sign_in, text
from tests.fieldsync.push.test_push import lenient  # noqa: F401  a fixture

pytestmark = pytest.mark.usefixtures("lenient")
FIRST = {"grade": "A", "bedrooms": 5, "living_area_sqft": 2000}


def visit(tablet: Tablet, house: House, seen: dict[str, Any], package_id: object, **data: Any) -> str:
    """Record a visit with what was seen at it; returns its id."""
    shown = tablet.shown_fields(str(house.property_id))
    inspection_id = str(new_id())
    tablet.record(
        {
            "kind": "inspection.create",
            "entity_id": inspection_id,
            "package_id": str(package_id),
            "data": {"property_id": str(house.property_id), "entry_code": "00", **data},
            "changes": {
                house.path(name): {"base": shown.get(house.path(name)), "new": value}
                for name, value in seen.items()
            },
        }
    )
    return inspection_id


@pytest.fixture
def first(make_tablet: MakeTablet, houses: list[House], cast: Cast) -> Package:
    """Cora has inspected six houses and entered three fields of each, and a photo."""
    tablet = make_tablet(cast.collector_a)
    package = draw(houses, tablet.device_id)
    tablet.download(str(package.id))
    for house in houses:
        visit(tablet, house, FIRST, package.id)
    assert {result["status"] for result in tablet.push()} == {"applied"}
    return package


def draw_again(cast: Cast, package: Package, **more: Any) -> Recheck:
    with scope(SYSTEM, towns=[TOWN_A], reason="re-check"):
        recheck = services.draw_recheck(
            TOWN_A,
            actor=SYSTEM,
            batch=Batch(cast.collector_a.id, package.id),
            percent=Decimal(10),
            list_year=2026,
            seed=7,
            **more,
        )
    packages.build_package(recheck.package_id, town_code=TOWN_A, actor=SYSTEM)
    return recheck


def compare() -> Recheck:
    """Let the worker do what the push left for it."""
    with scope(SYSTEM, towns=[TOWN_A]):
        job = Job.objects.get(kind=COMPARE_RECHECK)
    assert runs.run(job.id, TOWN_A) == "succeeded"
    with scope(SYSTEM, towns=[TOWN_A]):
        return Recheck.objects.select_related("follow_up").get()


def look_again(
    make_tablet: MakeTablet, cast: Cast, recheck: Recheck, houses: list[House], **seen: Any
) -> Tablet:
    tablet = make_tablet(cast.deputy_a)
    key = str(recheck.package_id)
    tablet.download(key)
    [(property_id, card)] = tablet.cards(key).items()
    assert {card["building"][0][name] for name in FIRST} == {None}
    assert card["building"][0]["style"] == "Colonial"
    house = next(house for house in houses if str(house.property_id) == property_id)
    visit(tablet, house, {**FIRST, **seen}, key, purpose="recheck")
    tablet.push()
    return tablet


def test_a_batch_that_agrees_is_done(
    make_tablet: MakeTablet, houses: list[House], cast: Cast, first: Package
) -> None:
    recheck = draw_again(cast, first, person_id=cast.deputy_a.id)
    assert recheck.population == 6
    look_again(make_tablet, cast, recheck, houses, living_area_sqft=2040)
    found = compare()
    assert (found.state, found.fields_compared, found.fields_agreeing) == ("agreed", 3, 3)
    assert found.follow_up is None
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Package.objects.get(id=recheck.package_id).state == "closed"


def test_a_batch_that_does_not_agree_goes_back_whole_with_the_reason(
    make_tablet: MakeTablet, houses: list[House], cast: Cast, first: Package
) -> None:
    recheck = draw_again(cast, first, person_id=cast.deputy_a.id)
    look_again(make_tablet, cast, recheck, houses, bedrooms=2)
    found = compare()
    assert (found.state, found.agreement_percent) == ("sent_back", Decimal("66.7"))
    assert found.follow_up is not None
    assert (found.follow_up.record_count, found.follow_up.person_id) == (6, cast.collector_a.id)
    for words in ("66.7 % of 3 fields", "95 % are needed", "bedrooms (1)", "1 of 6 properties"):
        assert words in found.follow_up.reason


def test_a_second_look_changes_no_record_and_is_no_conflict(
    make_tablet: MakeTablet, houses: list[House], cast: Cast, first: Package
) -> None:
    recheck = draw_again(cast, first, person_id=cast.deputy_a.id)
    tablet = look_again(make_tablet, cast, recheck, houses, bedrooms=2)
    with scope(SYSTEM, towns=[TOWN_A]):
        assert set(Building.objects.values_list("bedrooms", flat=True)) == {5}
        assert FieldConflict.objects.count() == 0
        waiting = Observation.objects.get(state=Observation.State.PENDING)
    assert (waiting.field, waiting.value) == ("bedrooms", 2)
    tablet.pull(str(recheck.package_id))
    [card] = tablet.cards(str(recheck.package_id)).values()
    assert card["building"][0]["bedrooms"] is None


def test_what_the_first_one_photographed_is_not_shown(
    make_tablet: MakeTablet, houses: list[House], cast: Cast
) -> None:
    tablet = make_tablet(cast.collector_a)
    package = draw(houses[:1], tablet.device_id)
    tablet.download(str(package.id))
    inspection = visit(tablet, houses[0], FIRST, package.id)
    tablet.take_photo(picture("one"), property_id=str(houses[0].property_id), inspection_id=inspection)
    tablet.take_photo(picture("two"), property_id=str(houses[0].property_id))
    tablet.push()
    recheck = draw_again(cast, package, person_id=cast.deputy_a.id)
    other = make_tablet(cast.deputy_a)
    other.download(str(recheck.package_id))
    [card] = other.cards(str(recheck.package_id)).values()
    assert len(card["photo"]) == 1


def test_it_goes_to_another_person_than_the_first(
    make_tablet: MakeTablet, cast: Cast, first: Package
) -> None:
    with pytest.raises(Conflict, match="another person"):
        draw_again(cast, first, person_id=cast.collector_a.id)
    own = make_tablet(cast.collector_a)
    with pytest.raises(Conflict, match="another person"):
        draw_again(cast, first, device_id=UUID(own.device_id))
    recheck = draw_again(cast, first)
    with scope(SYSTEM, towns=[TOWN_A], reason="test"), pytest.raises(Conflict, match="cannot be split"):
        packages.split_package(recheck.package_id, 2, actor=SYSTEM)


def test_where_nothing_was_inspected_nothing_is_drawn(cast: Cast, first: Package) -> None:
    with scope(SYSTEM, towns=[TOWN_A], reason="test"), pytest.raises(Invalid, match="has inspected nothing"):
        services.draw_recheck(
            TOWN_A, actor=SYSTEM, batch=Batch(cast.deputy_a.id), percent=Decimal(5), list_year=2026
        )


def test_a_recheck_is_drawn_followed_and_decided_on_its_pages(
    make_tablet: MakeTablet, houses: list[House], cast: Cast, first: Package
) -> None:
    office: Client = sign_in(cast.assessor_a)
    assert "No re-check has been drawn." in text(office, f"{FIELD}/rechecks/")
    fields = {"first_person": cast.collector_a.id, "percent": 5, "list_year": 2026, "seed": 11}
    drawn = f"{FIELD}/rechecks/draw"
    assert "another person" in office.post(drawn, {**fields, "person": cast.collector_a.id}).content.decode()
    page = office.post(drawn, {**fields, "person": cast.deputy_a.id}, follow=True).content.decode()
    for words in (
        "Re-check of Cora Collector: 1 of 6.",
        "seed 11",
        "not seen again yet",
        "nothing compared yet",
    ):
        assert words in page
    with scope(SYSTEM, towns=[TOWN_A]):
        recheck = Recheck.objects.order_by("drawn_at").last()
    assert recheck is not None
    decide = f"{FIELD}/rechecks/{recheck.id}/decide"
    assert "Nothing has been compared yet." in office.post(decide, follow=True).content.decode()
    packages.build_package(recheck.package_id, town_code=TOWN_A, actor=SYSTEM)
    look_again(make_tablet, cast, recheck, houses, bedrooms=2)
    page = office.post(decide, follow=True).content.decode()
    for words in ("Sent back", "66.7 % of 3 fields", "To be done again"):
        assert words in page
    answer = office.get(f"/api/v1/towns/hamden/field/rechecks/{recheck.id}").json()
    assert [field["agrees"] for item in answer["items"] for field in item["fields"]].count(False) == 1
    assert sign_in(cast.clerk_a).get(f"{FIELD}/rechecks/").status_code == 403


def test_the_list_of_rechecks_counts_what_was_seen(cast: Cast, first: Package) -> None:
    draw_again(cast, first, person_id=cast.deputy_a.id)
    draw_again(cast, first)
    answer = sign_in(cast.assessor_a).get("/api/v1/towns/hamden/field/rechecks").json()
    assert [(each["properties"], each["seen"], each["population"]) for each in answer] == [(1, 0, 6)] * 2
