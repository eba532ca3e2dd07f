"""The office's pages of conflicts: narrowed, with all that helps to decide, one or many answered, undone."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.test import Client

from assessment.property.models import Inspection, Photo
from assessment.region.scope import scope
from fieldsync.client import Tablet
from fieldsync.conflicts.models import Conflict
from tests.cast import SYSTEM, TOWN_A, Cast
from tests.fieldsync.conftest import House
from tests.fieldsync.office.test_pages import FIELD, office, sign_in, text  # noqa: F401  a fixture among them
from tests.fieldsync.push.test_push import building, lenient, set_building, take  # noqa: F401  a fixture among them

pytestmark = pytest.mark.usefixtures("lenient")
ANSWER = f"{FIELD}/conflicts/answer"


@pytest.fixture
def clashes(tablet: Tablet, houses: list[House]) -> list[UUID]:
    """Three styles that field and office see differently, seen at visits; and a year that cannot be."""
    take(tablet, houses)
    for house in houses[:3]:
        set_building(house, style="Ranch")
        tablet.create_inspection(
            str(house.property_id),
            entry_code="01",
            observations={house.path("style"): {"base": "Colonial", "new": "Cape Cod"}},
        )
    tablet.patch_card(str(houses[3].property_id), {houses[3].path("effective_year_built"): 1900})
    tablet.push()
    with scope(SYSTEM, towns=[TOWN_A]):
        return list(Conflict.objects.order_by("arose_at", "id").values_list("id", flat=True))


def test_the_list_is_counted_and_narrowed(
    office: Client,  # noqa: F811
    tablet: Tablet,
    clashes: list[UUID],
) -> None:
    page = text(office, f"{FIELD}/conflicts/")
    assert "3 both sides changed it" in page
    assert "1 the card would contradict itself" in page
    assert text(office, f"{FIELD}/conflicts/?kind=invariant").count('name="conflict"') == 1
    assert text(office, f"{FIELD}/conflicts/?street=main").count('name="conflict"') == 4
    assert (
        text(office, f"{FIELD}/conflicts/?field=style&device={tablet.device_id}").count('name="conflict"')
        == 3
    )
    for nothing in ("street=oak", "device=7", "state=answered", "field=roof_cover"):
        found = text(office, f"{FIELD}/conflicts/?{nothing}").count('name="conflict"')
        assert found == (4 if nothing == "device=7" else 0)


def test_one_conflict_is_shown_with_the_photos_of_the_visit(
    office: Client,  # noqa: F811
    clashes: list[UUID],
) -> None:
    with scope(SYSTEM, towns=[TOWN_A], reason="a photo"):
        one = Conflict.objects.get(id=clashes[0])
        visit = Inspection.objects.get(property_id=one.property_id)
        photo = Photo.objects.create(
            town_id=TOWN_A,
            property_id=one.property_id,
            inspection_id=visit.id,
            state="processed",
            web_sha256="a" * 64,
            role="front",
        )
    page = text(office, f"{FIELD}/conflicts/{one.id}/")
    for said in (
        "Colonial",
        "Ranch",
        "Cape Cod",
        "Cora Collector",
        "system: tests",
        "On record now",
        str(photo.id),
    ):
        assert said in page


def test_many_are_answered_at_once_and_taken_back(
    office: Client,  # noqa: F811
    houses: list[House],
    clashes: list[UUID],
) -> None:
    marked = [str(key) for key in clashes]
    page = office.post(ANSWER, {"conflict": marked, "choice": "field", "reason": "photos"}, follow=True)
    said = page.content.decode()
    assert "3: the field" in said
    assert "before the year built" in said
    assert [building(house).style for house in houses[:3]] == ["Cape Cod"] * 3
    assert said.count('name="conflict"') == 1
    back = office.post(ANSWER, {"choice": "undo-last"}, follow=True).content.decode()
    assert "3 open again" in back
    assert [building(house).style for house in houses[:3]] == ["Ranch"] * 3


def test_nothing_is_answered_without_a_reason_or_a_value(
    office: Client,  # noqa: F811
    clashes: list[UUID],
) -> None:
    for form in (
        {"conflict": [str(clashes[0])], "choice": "field", "reason": ""},
        {"choice": "field", "reason": "x"},
        {"conflict": [str(clashes[0])], "choice": "other", "reason": "x"},
    ):
        office.post(ANSWER, form)
    with scope(SYSTEM, towns=[TOWN_A]):
        assert set(Conflict.objects.values_list("state", flat=True)) == {"open"}


def test_who_may_not_decide_and_another_town(cast: Cast, clashes: list[UUID]) -> None:
    clerk, stranger = sign_in(cast.clerk_a), sign_in(cast.assessor_b)
    form = {"conflict": [str(clashes[0])], "choice": "office", "reason": "x"}
    assert 'type="checkbox"' not in text(clerk, f"{FIELD}/conflicts/")
    assert clerk.post(ANSWER, form).status_code == 403
    assert stranger.get(f"{FIELD}/conflicts/{clashes[0]}/").status_code == 404
    assert stranger.get(f"/t/west-hartford/field/conflicts/{clashes[0]}/").status_code == 404
    stranger.post("/t/west-hartford/field/conflicts/answer", form)
    with scope(SYSTEM, towns=[TOWN_A]):
        assert set(Conflict.objects.values_list("state", flat=True)) == {"open"}
