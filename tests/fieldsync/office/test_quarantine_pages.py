"""The office's pages of what was not applied and of what is held."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client

from assessment.region.scope import scope
from fieldsync.client import Tablet
from fieldsync.push.models import Mutation, Quarantine
from tests.cast import SYSTEM, TOWN_A, Cast
from tests.fieldsync.conftest import House
from tests.fieldsync.office.test_pages import FIELD, office, sign_in, text  # noqa: F401  a fixture among them
from tests.fieldsync.push.test_push import building, lenient, take  # noqa: F401  a fixture among them
from tests.fieldsync.quarantine.test_deciding import revoke

pytestmark = pytest.mark.usefixtures("lenient")
DECIDE = f"{FIELD}/quarantine/decide"


@pytest.fixture
def waiting(tablet: Tablet, houses: list[House]) -> list[Quarantine]:
    """Two changes of style that came from a tablet after it was revoked."""
    take(tablet, houses)
    for house in houses[:2]:
        tablet.patch_card(str(house.property_id), {house.path("style"): "Ranch"})
    revoke(tablet)
    tablet.push()
    with scope(SYSTEM, towns=[TOWN_A]):
        return list(Quarantine.objects.select_related("mutation").order_by("mutation__device_seq"))


def test_a_mutation_is_shown_in_words_and_as_it_came(
    office: Client,  # noqa: F811
    houses: list[House],
    waiting: list[Quarantine],
) -> None:
    page = text(office, f"{FIELD}/quarantine/")
    for said in (
        "Changes to a card",
        "1 MAIN ST",
        "Style",
        "Colonial",
        "Ranch",
        "device-revoked",
        "2 device-revoked",
    ):
        assert said in page
    assert "Ranch" not in text(office, f"{FIELD}/quarantine/?code=invalid")
    item = text(office, f"{FIELD}/quarantine/{waiting[0].id}/")
    for said in (
        "Cora Collector",
        "The tablet showed",
        "As it came, word for word",
        "&quot;base&quot;: &quot;Colonial&quot;",
    ):
        assert said in item


def test_what_no_database_text_can_hold_is_shown_whole_in_escaped_form(
    office: Client,  # noqa: F811
    tablet: Tablet,
    houses: list[House],
) -> None:
    take(tablet, houses)
    tablet.patch_card(str(houses[0].property_id), {"comment": f"{'long ' * 100}half of a pair \ud800 end"})
    tablet.push()
    with scope(SYSTEM, towns=[TOWN_A]):
        row = Quarantine.objects.get(code="unstorable")
    assert r"long half of a pair \ud800 end" in text(office, f"{FIELD}/quarantine/{row.id}/")


def test_a_body_that_only_looks_escaped_is_shown_as_it_came(
    office: Client,  # noqa: F811
    tablet: Tablet,
    houses: list[House],
) -> None:
    take(tablet, houses)
    tablet.push_batch([{"unstorable": "no hexadecimal"}])
    with scope(SYSTEM, towns=[TOWN_A]):
        row = Quarantine.objects.get()
    assert "no hexadecimal" in text(office, f"{FIELD}/quarantine/{row.id}/")


def test_what_is_held_is_shown_with_every_one_of_its_changes(
    office: Client,  # noqa: F811
    tablet: Tablet,
    houses: list[House],
) -> None:
    take(tablet, houses)
    names = (
        "style",
        "exterior_wall",
        "roof_cover",
        "heat_type",
        "interior_wall",
        "floor_cover",
        "bath_style",
    )
    changes = {houses[0].path(name): f"seen {name}" for name in names}
    visit = str(tablet.make_id())
    tablet.patch_card(str(houses[0].property_id), changes, data={"inspection_id": visit})
    tablet.push()
    page = text(office, f"{FIELD}/held/")
    assert [name for name in names if f"seen {name}" not in page] == []


def test_many_are_applied_at_once_and_one_that_cannot_be_stops_no_other(
    office: Client,  # noqa: F811
    tablet: Tablet,
    houses: list[House],
    waiting: list[Quarantine],
) -> None:
    tablet.record({"kind": "house.paint", "entity_id": str(houses[0].property_id)})
    tablet.push()
    with scope(SYSTEM, towns=[TOWN_A]):
        ids = [str(key) for key in Quarantine.objects.values_list("id", flat=True)]
    page = office.post(DECIDE, {"quarantine": ids, "step": "apply", "reason": "real work"}, follow=True)
    said = page.content.decode()
    assert "2 applied." in said
    assert "1 could not be done" in said
    assert [building(house).style for house in houses[:2]] == ["Ranch", "Ranch"]
    assert "real work" in text(office, f"{FIELD}/quarantine/?state=applied")


def test_nothing_is_decided_without_a_reason(office: Client, waiting: list[Quarantine]) -> None:  # noqa: F811
    office.post(DECIDE, {"quarantine": [str(waiting[0].id)], "step": "apply", "reason": " "})
    office.post(DECIDE, {"step": "apply", "reason": "x"})
    office.post(DECIDE, {"quarantine": [str(waiting[0].id)], "step": "burn", "reason": "x"})
    with scope(SYSTEM, towns=[TOWN_A]):
        assert set(Quarantine.objects.values_list("state", flat=True)) == {"waiting"}


def test_one_person_proposes_on_the_page_and_another_discards(
    cast: Cast,
    office: Client,  # noqa: F811
    waiting: list[Quarantine],
) -> None:
    row = {"quarantine": [str(waiting[0].id)]}
    office.post(DECIDE, {**row, "step": "propose", "reason": "a test"})
    mine = text(office, f"{FIELD}/quarantine/{waiting[0].id}/")
    assert "Another person has to confirm." in mine
    assert 'value="confirm"' not in mine
    office.post(DECIDE, {**row, "step": "confirm", "reason": "me again"})
    deputy = sign_in(cast.deputy_a)
    assert 'value="confirm"' in text(deputy, f"{FIELD}/quarantine/{waiting[0].id}/")
    deputy.post(DECIDE, {**row, "step": "confirm", "reason": "agreed"})
    with scope(SYSTEM, towns=[TOWN_A]):
        done = Quarantine.objects.get(id=waiting[0].id)
    assert (done.state, done.proposed_by, done.decided_by) == ("discarded", cast.assessor_a, cast.deputy_a)


def test_a_new_visit_goes_to_the_account_that_is_named(
    office: Client,  # noqa: F811
    tablet: Tablet,
    houses: list[House],
) -> None:
    tablet.record({"kind": "house.paint", "entity_id": str(uuid4()), "data": {"colour": "teal"}})
    tablet.push()
    with scope(SYSTEM, towns=[TOWN_A]):
        row = Quarantine.objects.get()
    form = {"quarantine": [str(row.id)], "step": "as-inspection", "reason": "by phone"}
    assert "Name the property" in office.post(DECIDE, form, follow=True).content.decode()
    office.post(DECIDE, {**form, "account": "000002"})
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Quarantine.objects.get().inspection_id is not None


def test_what_is_held_is_listed_with_its_age(
    office: Client,  # noqa: F811
    tablet: Tablet,
    houses: list[House],
) -> None:
    change = {f"building/{uuid4()}/style": {"base": "Barn", "new": "Stable"}}
    tablet.record({"kind": "card.patch", "entity_id": str(houses[0].property_id), "changes": change})
    tablet.push()
    assert "1 held" in text(office, f"{FIELD}/quarantine/")
    page = text(office, f"{FIELD}/held/")
    for said in ("Stable", "0\xa0minutes", "1 MAIN ST"):
        assert said in page
    with scope(SYSTEM, towns=[TOWN_A]):
        row = Mutation.objects.get()
    office.post(f"{FIELD}/held/decide", {"mutation": [str(row.id)], "reason": "it was crushed"})
    assert "predecessor-unknown" in text(office, f"{FIELD}/quarantine/")
    assert "Nothing is held." in text(office, f"{FIELD}/held/")


def test_who_may_only_look_decides_nothing(cast: Cast, waiting: list[Quarantine]) -> None:
    clerk = sign_in(cast.clerk_a)
    assert 'type="checkbox"' not in text(clerk, f"{FIELD}/quarantine/")
    form = {"quarantine": [str(waiting[0].id)], "step": "apply", "reason": "x"}
    assert clerk.post(DECIDE, form).status_code == 403
    stranger = sign_in(cast.assessor_b)
    assert stranger.get(f"{FIELD}/quarantine/{waiting[0].id}/").status_code == 404
    own = "/t/west-hartford/field"
    assert stranger.get(f"{own}/quarantine/{waiting[0].id}/").status_code == 404
    stranger.post(f"{own}/quarantine/decide", form)
    with scope(SYSTEM, towns=[TOWN_A]):
        assert set(Quarantine.objects.values_list("state", flat=True)) == {"waiting"}
