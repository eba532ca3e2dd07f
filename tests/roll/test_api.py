import json
from typing import Any

import pytest
from django.test import Client

from assessment.region.rules import Role
from assessment.region.services import assign_role
from assessment.roll.models import GrandList
from assessment.roll.selectors import get_certification
from assessment.roll.services.opening import open_grand_list
from tests.cast import SINCE, SYSTEM
from tests.roll.conftest import Office

LISTS = "/api/v1/towns/hamden/lists/"
BACKEND = "django.contrib.auth.backends.ModelBackend"


def client_of(person) -> Client:
    client = Client()
    client.force_login(person, backend=BACKEND)
    return client


def send(client: Client, method: str, address: str, body: dict[str, Any] | None = None):
    return client.generic(method, address, data=json.dumps(body or {}), content_type="application/json")


@pytest.fixture
def desk(office: Office) -> Client:
    return client_of(office.cast.assessor_a)


@pytest.fixture
def board(office: Office) -> Client:
    person = office.cast.nobody
    assign_role(person, actor=SYSTEM, town=office.town, role=Role.BAA_MEMBER, valid_from=SINCE)
    return client_of(person)


def account_address(office: Office, grand_list: GrandList, place: int = 0) -> str:
    return f"{LISTS}{grand_list.pk}/accounts/{office.sample.ids[place]}"


def test_a_signed_list_shows_its_totals_and_its_certification(
    office: Office, signed: GrandList, desk: Client
):
    answer = desk.get(f"{LISTS}{signed.pk}").json()
    made = get_certification(signed)
    assert answer["state"] == "signed"
    assert answer["totals"]["net"] == made.net
    assert answer["certification"]["root"] == made.root
    assert answer["balance"]["open_differences"] == 0
    assert [item["id"] for item in desk.get(LISTS).json()] == [str(signed.pk)]


def test_accounts_are_found_by_owner_location_and_number(office: Office, signed: GrandList, desk: Client):
    address = f"{LISTS}{signed.pk}/accounts"
    assert len(desk.get(address).json()) == 12
    assert [row["account"] for row in desk.get(f"{address}?q=000007").json()] == ["000007"]
    assert len(desk.get(f"{address}?q=12 elm").json()) == 1
    first, second = desk.get(f"{address}?limit=1").json(), desk.get(f"{address}?limit=1&offset=1").json()
    assert first[0]["list_number"] < second[0]["list_number"]


def test_who_may_not_see_confidential_things_sees_a_protected_owner_suppressed(
    office: Office, signed: GrandList
):
    address = account_address(office, signed, 4)
    assert client_of(office.cast.clerk_a).get(address).json()["owner"] == "Current Owner"
    assert client_of(office.cast.assessor_a).get(address).json()["owner"] != "Current Owner"


def test_an_interim_change_needs_its_reason_over_http_too(office: Office, signed: GrandList, desk: Client):
    interim = open_grand_list(office.town, actor=office.assessor, year=2025, basis="roll_forward").grand_list
    address = f"{account_address(office, interim)}/lines"
    lines = [{"detail_code": "11", "appraised": 50_000}]
    refused = send(desk, "PUT", address, {"lines": lines})
    assert (refused.status_code, refused.json()["code"]) == (422, "reason-required")
    reason = {"kind": "permit", "dated_on": "2025-06-01"}
    assert send(desk, "PUT", address, {"lines": lines, "reason": reason}).json()["gross"] == 35_000


def test_an_instrument_is_issued_and_shown_with_what_it_leaves(
    office: Office, signed: GrandList, desk: Client
):
    before = desk.get(account_address(office, signed)).json()
    body = {
        "kind": "correction", "dated_on": "2025-02-10", "explanation": "listed twice",
        "changes": [{"section": "assessed", "code": "13", "amount": -700, "appraised": -1_000}],
    }  # fmt: skip
    made = send(desk, "POST", f"{account_address(office, signed)}/instruments", body)
    assert (made.status_code, made.json()["number"]) == (201, "C-2024-0001")
    after = desk.get(account_address(office, signed)).json()
    assert after["gross"] == before["gross"]
    assert after["net_after"] == before["net_after"] - 700
    stages = desk.get(f"{LISTS}{signed.pk}/m13").json()["stages"]
    assert stages[-1]["gross"] == stages[0]["gross"] - 700


def test_the_boards_instruments_are_not_issued_past_the_board(
    office: Office, signed: GrandList, desk: Client
):
    body = {
        "kind": "board", "dated_on": "2025-02-10", "explanation": "x",
        "changes": [{"section": "assessed", "code": "13", "amount": -700}],
    }  # fmt: skip
    assert send(desk, "POST", f"{account_address(office, signed)}/instruments", body).status_code == 422


def test_a_deputy_does_not_sign_over_http(office: Office):
    grand_list = office.convert()
    answer = send(client_of(office.cast.deputy_a), "POST", f"{LISTS}{grand_list.pk}/signature")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_an_unbalanced_conversion_is_not_signed_over_http(office: Office, desk: Client):
    grand_list = office.convert()
    answer = send(desk, "POST", f"{LISTS}{grand_list.pk}/signature")
    assert (answer.status_code, answer.json()["code"]) == (409, "not-balanced")


def test_a_root_from_the_printed_page_is_checked(office: Office, signed: GrandList, desk: Client):
    root = get_certification(signed).root
    assert desk.get(f"{LISTS}{signed.pk}/verification?root={root}").json()["intact"]
    wrong = desk.get(f"{LISTS}{signed.pk}/verification?root={'0' * 64}").json()
    assert not wrong["intact"]
    assert "the root given" in wrong["breaks"][-1]["what"]


def test_an_export_is_a_job_and_the_same_one_asked_twice_is_one(
    office: Office, signed: GrandList, desk: Client
):
    body = {"profile": "public", "formats": ["csv"]}
    first = send(desk, "POST", f"{LISTS}{signed.pk}/exports", body)
    second = send(desk, "POST", f"{LISTS}{signed.pk}/exports", body)
    assert first.status_code == 202
    assert first.json()["job_id"] == second.json()["job_id"]


def test_a_petition_goes_from_receipt_to_hearing_over_http(office: Office, signed: GrandList, desk: Client):
    petitions = "/api/v1/towns/hamden/petitions/"
    body = {
        "list_id": str(signed.pk), "property_id": str(office.sample.ids[0]), "received_on": "2025-02-20",
        "petitioner": "Pat Owner",
    }  # fmt: skip
    made = send(desk, "POST", petitions, body)
    assert made.status_code == 201
    late = send(desk, "POST", petitions, {**body, "received_on": "2025-02-21"})
    assert (late.status_code, late.json()["code"]) == (422, "petition-late")
    hearing = {"starts_at": "2025-03-15T14:00:00Z", "place": "Town Hall", "notified_on": "2025-03-01"}
    address = f"{petitions}{made.json()['id']}"
    assert send(desk, "POST", f"{address}/hearings", hearing).status_code == 201
    assert desk.get(address).json()["state"] == "scheduled"
    decided = send(desk, "POST", f"{address}/decision", {"decided_on": "2025-03-20", "explanation": "x"})
    assert decided.json()["code"] == "forbidden"
    assert [item["state"] for item in desk.get(petitions).json()] == ["scheduled"]


def test_two_dwellings_of_one_code_are_decided_as_their_sum(office: Office, signed: GrandList, board: Client):
    account = board.get(account_address(office, signed)).json()
    petitions = "/api/v1/towns/hamden/petitions/"
    body = {
        "list_id": str(signed.pk), "property_id": account["property_id"], "received_on": "2025-02-20",
        "petitioner": "Pat Owner",
    }  # fmt: skip
    petition = send(board, "POST", petitions, body).json()
    dwelling = {"detail_code": "13", "appraised": 50_000, "assessed": 35_000}
    body = {"decided_on": "2025-03-20", "explanation": "x", "lines_after": [dwelling, dwelling]}
    decided = send(board, "POST", f"{petitions}{petition['id']}/decision", body)
    assert decided.json()["instrument_number"] == "B-2024-0001"
    land = next(line["assessed"] for line in account["lines"] if line["code"] == "11")
    assert board.get(account_address(office, signed)).json()["gross_after"] == land + 70_000


def test_pages_of_accounts_cost_the_same_number_of_queries_whatever_their_length(
    office: Office, signed: GrandList, desk: Client, django_assert_max_num_queries
):
    interim = open_grand_list(office.town, actor=office.assessor, year=2025, basis="roll_forward").grand_list
    for grand_list in (signed, interim):
        for limit in (1, 12):
            with django_assert_max_num_queries(16):
                assert len(desk.get(f"{LISTS}{grand_list.pk}/accounts?limit={limit}").json()) == limit


def test_the_export_job_leaves_files_with_their_hashes(committed, settings):
    from assessment.jobs.registry import RunningJob
    from assessment.region.ids import new_id
    from assessment.roll.tasks import export_list

    job = RunningJob(
        id=new_id(), town_code=62, payload={"list_id": str(committed.grand_list.pk), "formats": ["csv"]},
        actor=committed.office.assessor, progress=lambda done, total=0, label="": None,
    )  # fmt: skip
    first, second = export_list(job), export_list(job)
    assert first == second
    names = {item["name"] for item in first["files"]}
    assert {"hamden-2024-real-statutory-accounts.csv", "hamden-2024-real-m13.pdf"} <= names
    assert first["control"]["signed"]["accounts"] == 40
