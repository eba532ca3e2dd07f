"""The office's pages of the field, by somebody signed in."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from assessment.jobs.models import Job
from assessment.region.models import Person
from assessment.region.scope import scope
from fieldsync.client import Tablet
from fieldsync.conflicts.models import Conflict
from fieldsync.devices.models import Device
from fieldsync.packages.models import Package
from tests.cast import SYSTEM, TOWN_A, Cast
from tests.fieldsync.conflicts.test_resolving import conflict  # noqa: F401  a fixture
from tests.fieldsync.conftest import House, NewTablet, draw
from tests.fieldsync.push.test_push import lenient  # noqa: F401  a fixture

FIELD = "/t/hamden/field"


@pytest.fixture
def office(cast: Cast) -> Client:
    return sign_in(cast.assessor_a)


def sign_in(person: Person) -> Client:
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_code_made_on_the_page_lets_a_tablet_in(office: Client, new_tablet: NewTablet) -> None:
    answer = office.post(f"{FIELD}/devices/code", {"label": "Tablet 7"}, follow=True)
    code = re.search(r"\d{3}-\w{4}-\w{4}-\w{4}", answer.content.decode())
    assert code
    tablet = new_tablet("seven")
    assert "<svg" in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    tablet.enrol(code[0], name="")
    assert "Tablet 7" in text(office, f"{FIELD}/devices/")


def test_a_code_names_who_will_carry_the_tablet(office: Client, new_tablet: NewTablet, cast: Cast) -> None:
    assert f'value="{cast.collector_a.id}"' in text(office, f"{FIELD}/devices/")
    for number, (person, carrier) in enumerate(
        [(cast.collector_a.id, cast.collector_a.id), (cast.collector_b.id, None)]
    ):
        answer = office.post(f"{FIELD}/devices/code", {"label": str(number), "person": str(person)})
        code = re.search(r"\d{3}-\w{4}-\w{4}-\w{4}", answer.content.decode())
        assert code
        tablet = new_tablet(str(number))
        tablet.enrol(code[0], name="")
        with scope(SYSTEM, towns=[TOWN_A]):
            assert Device.objects.get(id=tablet.device_id).person_id == carrier, "of this town's people only"


def test_a_tablet_is_revoked_on_the_page(office: Client, tablet: Tablet) -> None:
    address = f"{FIELD}/devices/{tablet.device_id}"
    asked = text(office, f"{address}/step?step=revoke")
    assert "This cannot be taken back" in asked
    step = {"step": "revoke", "wipe": "after-upload", "reason": "left in a taxi", "confirmed": "yes"}
    for missing in ("reason", "confirmed"):
        office.post(f"{address}/state", {**step, missing: ""})
        with scope(SYSTEM, towns=[TOWN_A]):
            assert Device.objects.get().state == "active"
    office.post(f"{address}/state", step)
    with scope(SYSTEM, towns=[TOWN_A]):
        device = Device.objects.get()
    assert (device.state, device.wipe, device.state_reason) == ("revoked", "after-upload", "left in a taxi")
    page = text(office, f"{address}/")
    assert "Revoked" in page
    assert "left in a taxi" in page
    assert "Ada Assessor" in page, "the journal names who did it"
    assert office.get(f"{address}/step?step=resume").status_code == 302, "not a step that it can take"


def test_a_package_is_drawn_assigned_taken_back_and_closed(
    office: Client, tablet: Tablet, houses: list[House]
) -> None:
    drawn = {"title": "North", "kind": "revaluation", "list_year": 2026, "neighbourhood": "12", "limit": 3}
    page = office.post(f"{FIELD}/packages/draw", drawn, follow=True).content.decode()
    assert "North: 3 properties" in page
    with scope(SYSTEM, towns=[TOWN_A]):
        package = Package.objects.get()
        assert Job.objects.get().payload == {"package_id": str(package.id)}
    change = f"{FIELD}/packages/{package.id}/change"
    office.post(change, {"step": "assign", "device": tablet.device_id})
    assert [line["title"] for line in tablet.list_packages()] == ["North"]
    office.post(change, {"step": "take-back"})
    assert tablet.list_packages() == []
    office.post(change, {"step": "close"})
    assert "Closed" in text(office, f"{FIELD}/packages/")


def test_a_package_of_nothing_is_explained(office: Client, houses: list[House]) -> None:
    drawn = {"title": "None", "kind": "revaluation", "list_year": 2026, "street": "NO SUCH ST", "limit": 3}
    page = office.post(f"{FIELD}/packages/draw", drawn).content.decode()
    assert "No property of the town fits this selection." in page
    assert "NO SUCH ST" in page


@pytest.mark.usefixtures("lenient")
def test_a_conflict_is_shown_with_both_values_and_answered(
    office: Client,
    conflict: object,  # noqa: F811
) -> None:
    page = text(office, f"{FIELD}/conflicts/")
    for said in ("Colonial", "Ranch", "Cape Cod", "Cora Collector"):
        assert said in page
    assert "Conflicts between field and office" in text(office, "/t/hamden/")
    answer = f"{FIELD}/conflicts/{conflict}/answer"
    office.post(answer, {"choice": "field", "reason": "the photo shows it"})
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Conflict.objects.get().state == "field"
    assert "Cape Cod" not in text(office, f"{FIELD}/conflicts/")
    office.post(answer, {"choice": "reopen", "reason": "the wrong photo"})
    assert "Cape Cod" in text(office, f"{FIELD}/conflicts/")


def test_what_is_in_quarantine_is_shown_as_it_came(
    office: Client, tablet: Tablet, houses: list[House]
) -> None:
    tablet.record(
        {"kind": "house.paint", "entity_id": str(houses[0].property_id), "data": {"colour": "teal"}}
    )
    tablet.push()
    page = text(office, f"{FIELD}/quarantine/")
    assert "kind-unknown" in page
    assert "teal" in page


def test_who_may_only_look_gets_no_buttons(cast: Cast, tablet: Tablet, houses: list[House]) -> None:
    draw(houses, tablet.device_id)
    clerk = sign_in(cast.clerk_a)
    for page in ("packages", "devices", "conflicts", "quarantine"):
        assert 'method="post" action="/t/hamden/field' not in text(clerk, f"{FIELD}/{page}/")
    assert clerk.post(f"{FIELD}/devices/code").status_code == 403


def test_another_town_has_no_such_pages(cast: Cast) -> None:
    stranger = sign_in(cast.assessor_b)
    for page in ("packages", "devices", "conflicts", "quarantine"):
        assert stranger.get(f"{FIELD}/{page}/").status_code == 404
