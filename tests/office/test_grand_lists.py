"""Grand lists on their pages: figures, signing, verifying and files."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from assessment.jobs import runs
from assessment.jobs.models import Job
from assessment.office.abstract import read_signed_abstract, read_working_abstract
from assessment.office.roll_year import steps_of
from assessment.region.scope import scope
from assessment.roll.models import Certification, GrandList
from assessment.roll.rules.m13 import tabulate
from assessment.roll.selectors import get_totals, iterate_accounts
from tests.cast import PASSWORD, SYSTEM, Cast
from tests.office.conftest import SignedIn
from tests.roll.conftest import Office, make_office


@pytest.fixture
def office(cast: Cast) -> Office:
    with scope(cast.actor(cast.assessor_a), towns=[cast.town_a.code], reason="a test"):
        return make_office(cast, 12)


@pytest.fixture
def opened(cast: Cast, office: Office) -> GrandList:
    """A converted list, balanced."""
    with scope(cast.actor(cast.assessor_a), towns=[cast.town_a.code], reason="a test"):
        from assessment.roll.services.balancing import balance_grand_list

        grand_list = office.convert()
        balance_grand_list(grand_list, actor=office.assessor)
    return grand_list


@pytest.fixture
def signed(cast: Cast, office: Office, django_capture_on_commit_callbacks: Any) -> GrandList:
    """A signed list, with its certification kept outside of the database as after a commit."""
    actor, towns = cast.actor(cast.assessor_a), [cast.town_a.code]
    with django_capture_on_commit_callbacks(execute=True), scope(actor, towns=towns, reason="a test"):
        return office.sign(office.convert())


def address(cast: Cast, grand_list: GrandList, action: str = "") -> str:
    return f"/t/{cast.town_a.slug}/grand-lists/{grand_list.id}/{action}"


def run_job(cast: Cast, client: Client, answer: object) -> Job:
    """Do the work of the job that a form started."""
    job_id = answer["Location"].rstrip("/").rsplit("/", 1)[-1]  # type: ignore[index]
    runs.run(job_id, cast.town_a.code)  # type: ignore[arg-type]
    with scope(SYSTEM, towns=[cast.town_a.code]):
        return Job.objects.get(id=job_id)


def fetch(client: Client, address: str) -> tuple[int, str, bytes]:
    """Fetch a file: status, type and bytes."""
    answer = client.get(address)
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]
    return answer.status_code, answer["Content-Type"], content


def test_the_abstract_of_the_page_is_that_of_the_m13(cast: Cast, signed: GrandList) -> None:
    with scope(SYSTEM, towns=[cast.town_a.code]):
        ours = read_signed_abstract(signed, Certification.objects.get(grand_list=signed))
        assert ours == tabulate(iterate_accounts(signed))


def test_the_abstract_of_a_working_list_sums_to_its_totals(cast: Cast, opened: GrandList) -> None:
    with scope(SYSTEM, towns=[cast.town_a.code]):
        ours, totals = read_working_abstract(opened), get_totals(opened)
    assert ours.accounts == totals["accounts"] == 12
    assert ours.gross + ours.exempt == totals["gross"]


def test_an_open_list_shows_what_it_totals_and_offers_to_sign(
    cast: Cast, opened: GrandList, sign_in: SignedIn
) -> None:
    page = sign_in(cast.assessor_a).get(address(cast, opened)).content.decode()
    assert "I have made this list according to law" in page
    assert "Write the files" not in page
    assert "may_sign" not in sign_in(cast.deputy_a).get(address(cast, opened)).content.decode()


def test_only_the_signer_s_password_and_oath_sign(cast: Cast, opened: GrandList, sign_in: SignedIn) -> None:
    client = sign_in(cast.assessor_a)
    for values in ({"password": "wrong", "sworn": "yes"}, {"password": PASSWORD}):
        assert (
            "nothing was signed"
            in client.post(address(cast, opened, "sign"), values, follow=True).content.decode()
        )
    answer = client.post(address(cast, opened, "sign"), {"password": PASSWORD, "sworn": "yes"})
    job = run_job(cast, client, answer)
    assert job.state == "succeeded", job.error
    page = client.get(address(cast, opened)).content.decode()
    assert job.result is not None
    assert job.result["root"] in page
    assert fetch(client, address(cast, opened, "certification"))[1] == "application/pdf"


def test_one_without_the_right_to_sign_is_told_so(cast: Cast, opened: GrandList, sign_in: SignedIn) -> None:
    answer = sign_in(cast.deputy_a).post(
        address(cast, opened, "sign"), {"password": PASSWORD, "sworn": "yes"}
    )
    assert answer.status_code == 403
    assert "Your role does not allow this" in answer.content.decode()


def test_files_are_written_by_a_job_and_handed_over(cast: Cast, signed: GrandList, sign_in: SignedIn) -> None:
    client = sign_in(cast.clerk_a)
    answer = client.post(address(cast, signed, "export"), {"profile": "statutory", "basis": "current"})
    job = run_job(cast, client, answer)
    assert job.state == "succeeded", job.error
    page = client.get(f"/t/{cast.town_a.slug}/jobs/{job.id}/").content.decode()
    assert job.result is not None
    names = [each["name"] for each in job.result["files"]]
    assert any(name.endswith(".xlsx") for name in names)
    for name in names:
        assert name in page
        status, _, content = fetch(client, f"/t/{cast.town_a.slug}/jobs/{job.id}/files/{name}")
        assert status == 200
        assert content


def test_the_collector_s_file_is_not_for_those_who_may_not_see_protected_owners(
    cast: Cast, signed: GrandList, sign_in: SignedIn
) -> None:
    values = {"profile": "collector", "basis": "current"}
    assert "tax collector" not in sign_in(cast.clerk_a).get(address(cast, signed)).content.decode()
    assert sign_in(cast.clerk_a).post(address(cast, signed, "export"), values).status_code == 403
    client = sign_in(cast.assessor_a)
    job = run_job(cast, client, client.post(address(cast, signed, "export"), values))
    assert job.result is not None
    file = f"/t/{cast.town_a.slug}/jobs/{job.id}/files/{job.result['files'][0]['name']}"
    assert fetch(client, file)[0] == 200
    assert fetch(sign_in(cast.clerk_a), file)[0] == 404


@pytest.mark.parametrize(("root", "outcome"), [("", "intact"), ("0" * 64, "breaks found")])
def test_verifying_compares_with_the_copy_outside_and_with_a_root_from_paper(
    cast: Cast, signed: GrandList, sign_in: SignedIn, root: str, outcome: str
) -> None:
    client = sign_in(cast.assessor_a)
    job = run_job(cast, client, client.post(address(cast, signed, "verify"), {"root": root}))
    assert job.result is not None, job.error
    assert outcome in job.result["outcome"], job.result


def test_the_bridge_is_shown_from_signed_to_after_the_board(
    cast: Cast, signed: GrandList, sign_in: SignedIn
) -> None:
    page = sign_in(cast.clerk_a).get(address(cast, signed)).content.decode()
    assert "As signed" in page
    assert "After the board" in page


def test_a_town_s_year_goes_step_by_step(cast: Cast, opened: GrandList) -> None:
    with scope(SYSTEM, towns=[cast.town_a.code]):
        assert [(step.title, step.state) for step in steps_of(opened)] == [
            ("Opened", "done"), ("Balanced", "done"), ("Valuing", "current"), ("Signed", "waiting"),
            ("Board of appeals", "waiting"), ("Final", "waiting"),
        ]  # fmt: skip
