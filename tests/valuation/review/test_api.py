"""Runs, conclusions, overrides and ratio studies over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from assessment.region.scope import scope
from tests.cast import Cast
from tests.valuation.conftest import SignedIn
from tests.valuation.runs.conftest import Bureau, bureau
from valuation.runs.models import Conclusion, Run

pytestmark = pytest.mark.django_db

__all__ = ["bureau"]


@pytest.fixture
def run(bureau: Bureau) -> Run:
    return bureau.run()


def address(cast: Cast, rest: str) -> str:
    return f"/api/v1/towns/{cast.town_a.slug}/valuation/{rest}"


def send(client: Client, path: str, body: dict[str, Any]) -> Any:
    return client.post(path, body, content_type="application/json")


def test_runs_studies_checks_and_conclusions_are_read(bureau: Bureau, run: Run, signed_in: SignedIn) -> None:
    client = signed_in(bureau.cast.clerk_a.email)
    (listed,) = client.get(address(bureau.cast, "runs/")).json()
    assert (listed["id"], listed["values_sha256"]) == (str(run.pk), run.values_sha256)
    studies = client.get(address(bureau.cast, f"runs/{run.pk}/studies")).json()
    assert {study["subject"] for study in studies} >= {"cost", "fixed_value"}
    checks = client.get(address(bureau.cast, f"runs/{run.pk}/checks")).json()
    assert "adopted" in {check["id"] for check in checks if check["state"] == "missed"}
    page = client.get(
        address(bureau.cast, f"runs/{run.pk}/conclusions"), {"limit": 3, "order": "value"}
    ).json()
    values = [row["value"] for row in page["items"]]
    assert page["count"] == 260
    assert values == sorted(values, reverse=True)


def test_a_large_override_is_asked_for_and_confirmed_by_another_person(
    bureau: Bureau, run: Run, signed_in: SignedIn
) -> None:
    conclusion = Conclusion.objects.get(run=run, property=bureau.houses[20])
    assessor, deputy = signed_in(bureau.cast.assessor_a.email), signed_in(bureau.cast.deputy_a.email)
    body = {"value": conclusion.value * 2, "reason_code": "unique", "note": "no like house"}
    asked = send(assessor, address(bureau.cast, f"conclusions/{conclusion.pk}/overrides"), body)
    assert asked.json()["state"] == "waiting"
    decision = address(bureau.cast, f"overrides/{asked.json()['id']}/decision")
    own = send(assessor, decision, {"action": "confirm"})
    assert (own.status_code, own.json()["code"]) == (403, "second-person-needed")
    assert send(deputy, decision, {"action": "confirm"}).json()["state"] == "in_force"
    conclusion.refresh_from_db()
    assert conclusion.value == body["value"]


def test_a_ratio_study_of_any_figures_is_answered_and_bad_ones_are_refused(
    bureau: Bureau, signed_in: SignedIn
) -> None:
    client = signed_in(bureau.cast.clerk_a.email)
    pairs = {
        "values": [90.0, 100, 110, 95, 105, 99],
        "prices": [100.0, 101, 102, 103, 104, 105],
        "rules": True,
    }
    found = send(client, address(bureau.cast, "ratio-study"), pairs).json()
    assert found["n"] == 6
    assert {rule["id"] for rule in found["rules"]} >= {"overall_level"}
    uneven = send(client, address(bureau.cast, "ratio-study"), {**pairs, "prices": [1.0]})
    assert (uneven.status_code, uneven.json()["reason"]) == (422, "length_mismatch")
    assert (
        send(client, address(bureau.cast, "ratio-study"), {**pairs, "values": [0.0] * 6}).status_code == 422
    )


def test_another_town_s_conclusion_cannot_be_overridden(
    bureau: Bureau, run: Run, signed_in: SignedIn
) -> None:
    cast = bureau.cast
    conclusion = Conclusion.objects.filter(run=run).first()
    assert conclusion is not None
    client = signed_in(cast.assessor_b.email)
    with scope(cast.actor(cast.assessor_b), towns=[cast.town_b.code]):
        answer = send(
            client,
            f"/api/v1/towns/{cast.town_b.slug}/valuation/conclusions/{conclusion.pk}/overrides",
            {"value": 1, "reason_code": "unique", "note": "x"},
        )
    assert answer.status_code == 404


def test_a_factor_is_previewed_asked_for_decided_and_taken_back(
    bureau: Bureau, run: Run, signed_in: SignedIn
) -> None:
    assessor, deputy = signed_in(bureau.cast.assessor_a.email), signed_in(bureau.cast.deputy_a.email)
    area = {"neighbourhood": "N1", "factor": "1.05"}
    seen = send(assessor, address(bureau.cast, f"runs/{run.pk}/factor-preview"), area).json()
    assert seen["count"] == len(seen["rows"]) > 100
    body = {**area, "reason_code": "neighbourhood", "note": "study of May", "seen": seen["before"]}
    asked = send(assessor, address(bureau.cast, f"runs/{run.pk}/factors"), body).json()
    assert asked["count"] == seen["count"]
    decision = address(bureau.cast, f"override-batches/{asked['batch']}/decision")
    assert send(assessor, decision, {"action": "confirm"}).status_code == 403
    assert send(deputy, decision, {"action": "confirm"}).json()["count"] == seen["count"]
    again = bureau.run()
    carry = address(bureau.cast, f"runs/{again.pk}/carry")
    plan = assessor.get(carry, {"source": str(run.pk)}).json()
    assert {row["verdict"] for row in plan} == {"same"}
    one = {"source": str(run.pk), "override_ids": [plan[0]["override_id"]]}
    assert send(assessor, carry, one).json() == {"count": 1, "to_review": 0, "batch": None, "job": None}
    assert send(assessor, decision, {"action": "withdraw"}).json()["count"] == seen["count"]
    stale = send(assessor, address(bureau.cast, f"runs/{run.pk}/factors"), {**body, "seen": 1})
    assert (stale.status_code, stale.json()["code"]) == (409, "values-changed")
