"""The front door: who gets in, what a refusal tells, and how often one may try."""

import pytest
from django.conf import LazySettings
from django.test import Client

from assessment.region.models import Person
from tests.cast import PASSWORD, Cast
from tests.office.conftest import SignedIn


def attempt(client: Client, email: str, password: str) -> tuple[int, str]:
    answer = client.post("/sign-in", {"username": email, "password": password})
    return answer.status_code, answer.content.decode()


def without_the_address(page: str, email: str) -> str:
    return "\n".join(
        line for line in page.replace(email, "").splitlines() if "csrfmiddlewaretoken" not in line
    )


def test_a_person_of_the_region_gets_in_and_lands_at_home(cast: Cast) -> None:
    answer = Client().post("/sign-in", {"username": cast.assessor_a.email, "password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/")


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(cast: Cast) -> None:
    known = attempt(Client(), cast.assessor_a.email, "wrong")
    unknown = attempt(Client(), "who@example.org", "wrong")
    assert known[0] == unknown[0] == 200
    assert without_the_address(known[1], cast.assessor_a.email) == without_the_address(
        unknown[1], "who@example.org"
    )


def test_a_closed_account_gets_the_answer_of_a_wrong_password(cast: Cast) -> None:
    Person.objects.filter(id=cast.deputy_a.id).update(is_active=False)
    closed = attempt(Client(), cast.deputy_a.email, PASSWORD)
    wrong = attempt(Client(), cast.assessor_a.email, "wrong")
    assert closed[0] == 200
    assert without_the_address(closed[1], cast.deputy_a.email) == without_the_address(
        wrong[1], cast.assessor_a.email
    )


@pytest.mark.parametrize("email", ["ada.assessor@example.org", "who@example.org"])
def test_after_too_many_attempts_signing_in_is_paused_known_or_not(
    cast: Cast, settings: LazySettings, email: str
) -> None:
    answers = [attempt(Client(), email, "wrong") for _ in range(settings.AXES_FAILURE_LIMIT + 1)]
    assert answers[0][0] == 200
    status, page = answers[-1]
    assert status == 429
    assert "Too many attempts" in page


def test_the_right_password_does_not_end_the_pause(cast: Cast, settings: LazySettings) -> None:
    for _ in range(settings.AXES_FAILURE_LIMIT):
        attempt(Client(), cast.assessor_a.email, "wrong")
    assert attempt(Client(), cast.assessor_a.email, PASSWORD)[0] == 429
    assert attempt(Client(), cast.deputy_a.email, PASSWORD)[0] == 302


def test_signing_out_ends_the_session_and_needs_a_post(cast: Cast, sign_in: SignedIn) -> None:
    client = sign_in(cast.assessor_a)
    assert client.get("/sign-out").status_code == 405
    assert client.get("/").status_code == 200
    assert client.post("/sign-out").status_code == 302
    assert client.get("/")["Location"] == "/sign-in?next=/"


@pytest.mark.parametrize("next_url", ["https://evil.example/", "//evil.example"])
def test_one_is_sent_on_only_within_this_site(cast: Cast, next_url: str) -> None:
    values = {"username": cast.assessor_a.email, "password": PASSWORD, "next": next_url}
    assert Client().post("/sign-in", values)["Location"] == "/"
