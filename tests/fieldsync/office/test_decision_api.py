"""Decisions over HTTP: quarantine, one and many, and many conflicts at once."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from fieldsync.client import Tablet
from fieldsync.push.models import Quarantine
from tests.cast import Cast
from tests.fieldsync.conftest import House
from tests.fieldsync.office.test_pages import sign_in
from tests.fieldsync.office.test_quarantine_pages import waiting  # noqa: F401  a fixture
from tests.fieldsync.push.test_push import building, lenient, set_building, take  # noqa: F401  a fixture among them

pytestmark = pytest.mark.usefixtures("lenient")
API = "/api/v1/towns/hamden/field"


def ask(client: Client, address: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
    if body is None:
        answer = client.get(f"{API}/{address}")
    else:
        answer = client.post(f"{API}/{address}", body, content_type="application/json")
    return answer.status_code, answer.json()


@pytest.fixture
def office(cast: Cast) -> Client:
    return sign_in(cast.assessor_a)


def test_quarantine_is_listed_shown_and_applied(
    office: Client,
    houses: list[House],
    waiting: list[Quarantine],  # noqa: F811
) -> None:
    _, rows = ask(office, "quarantine")
    assert [row["id"] for row in rows] == [str(row.id) for row in waiting]
    assert (rows[0]["code"], rows[0]["property_id"]) == ("device-revoked", str(houses[0].property_id))
    assert ask(office, "quarantine?limit=1&offset=1")[1] == rows[1:]
    assert ask(office, "quarantine?code=invalid")[1] == []
    _, one = ask(office, f"quarantine/{waiting[0].id}")
    assert one == rows[0]
    assert one["body"]["changes"] == waiting[0].mutation.body["changes"]
    decided = {"step": "apply", "reason": "asked the collector"}
    status, done = ask(office, f"quarantine/{waiting[0].id}/decision", decided)
    assert (status, done["state"], done["decided_by"]) == (200, "applied", "Ada Assessor")
    assert building(houses[0]).style == "Ranch"
    assert [row["id"] for row in ask(office, "quarantine?state=applied")[1]] == [str(waiting[0].id)]


def test_discarding_takes_two_persons_here_too(
    cast: Cast,
    office: Client,
    waiting: list[Quarantine],  # noqa: F811
) -> None:
    address, deputy = f"quarantine/{waiting[0].id}/decision", sign_in(cast.deputy_a)
    confirm = {"step": "confirm-discard", "reason": "agreed"}
    assert ask(deputy, address, confirm)[0] == 409
    status, row = ask(office, address, {"step": "propose-discard", "reason": "a test"})
    assert (status, row["proposed_by"], row["state"]) == (200, "Ada Assessor", "waiting")
    status, problem = ask(office, address, confirm)
    assert (status, problem["detail"]) == (403, "You proposed it: another person has to confirm.")
    assert (
        ask(deputy, address, {"step": "withdraw-discard", "reason": "it is real"})[1]["proposed_by"] is None
    )
    ask(office, address, {"step": "propose-discard", "reason": "a test"})
    assert ask(deputy, address, confirm)[1]["state"] == "discarded"
    assert ask(office, address, {"step": "apply", "reason": "x"})[0] == 409


def test_many_are_decided_and_what_cannot_be_is_told(
    office: Client,
    houses: list[House],
    waiting: list[Quarantine],  # noqa: F811
) -> None:
    ids = [str(row.id) for row in waiting]
    lost = str(uuid4())
    said = {"ids": [*ids, lost], "step": "apply", "reason": "asked"}
    _, many = ask(office, "quarantine/decisions", said)
    assert sorted(many["done"]) == sorted(ids)
    assert [(each["id"], each["code"]) for each in many["failed"]] == [(lost, "not-found")]
    assert {building(house).style for house in houses[:2]} == {"Ranch"}
    status, _ = ask(office, f"quarantine/{ids[0]}/decision", {"step": "burn", "reason": "x"})
    assert status == 422


def test_many_conflicts_are_answered_and_opened_again(
    office: Client, tablet: Tablet, houses: list[House]
) -> None:
    take(tablet, houses)
    for house in houses[:2]:
        set_building(house, style="Ranch")
        tablet.patch_card(str(house.property_id), {house.path("style"): "Cape Cod"})
    ids = sorted(each for result in tablet.push() for each in result["conflict_ids"])
    answer = {"ids": [*ids, ids[0]], "choice": "field", "reason": "looked at the photos"}
    assert ask(office, "conflicts/answers", answer)[1] == {"done": ids, "failed": []}
    assert {building(house).style for house in houses[:2]} == {"Cape Cod"}
    _, again = ask(office, "conflicts/answers", answer)
    assert (again["done"], {each["detail"] for each in again["failed"]}) == (
        [],
        {"This conflict was answered before."},
    )
    assert ask(office, "conflicts/reopen", {"ids": ids})[1] == {"done": ids, "failed": []}
    assert {building(house).style for house in houses[:2]} == {"Ranch"}
    assert len(ask(office, "conflicts")[1]) == 2


def test_who_may_not_decide_is_refused(
    cast: Cast,
    waiting: list[Quarantine],  # noqa: F811
) -> None:
    clerk, ids = sign_in(cast.clerk_a), [str(waiting[0].id)]
    assert ask(clerk, "quarantine")[0] == 200
    for address, body in (
        (f"quarantine/{ids[0]}/decision", {"step": "apply", "reason": "x"}),
        ("quarantine/decisions", {"ids": ids, "step": "apply", "reason": "x"}),
        ("conflicts/answers", {"ids": ids, "choice": "office", "reason": "x"}),
        ("conflicts/reopen", {"ids": ids}),
    ):
        assert ask(clerk, address, body)[0] == 403
