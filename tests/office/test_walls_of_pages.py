"""A page of another town answers exactly as one that does not exist."""

import re
from uuid import uuid4

import pytest
from django.test import Client

from tests.cast import Cast
from tests.office.conftest import Houses, SignedIn

_TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="[^"]*"')
TOWN_PAGES = ("", "properties/", "properties/suggest?q=elm")
CARD_PAGES = ("", "print", "history")


@pytest.mark.parametrize("page", TOWN_PAGES)
def test_another_town_answers_like_a_town_that_does_not_exist(
    cast: Cast, sign_in: SignedIn, page: str
) -> None:
    client = sign_in(cast.assessor_a)
    theirs = client.get(f"/t/{cast.town_b.slug}/{page}")
    missing = client.get(f"/t/no-such-town/{page}")
    assert client.get(f"/t/{cast.town_a.slug}/{page}").status_code == 200
    assert theirs.status_code == missing.status_code == 404
    assert _TOKEN.sub(b"", theirs.content) == _TOKEN.sub(b"", missing.content)


@pytest.mark.parametrize("page", CARD_PAGES)
def test_another_town_s_property_answers_like_none(
    cast: Cast, houses: Houses, sign_in: SignedIn, page: str
) -> None:
    assert (
        sign_in(cast.assessor_b).get(f"/t/{cast.town_b.slug}/properties/{houses.in_b.id}/{page}").status_code
        == 200
    )
    client = sign_in(cast.assessor_a)
    theirs = client.get(f"/t/{cast.town_a.slug}/properties/{houses.in_b.id}/{page}")
    missing = client.get(f"/t/{cast.town_a.slug}/properties/{uuid4()}/{page}")
    assert theirs.status_code == missing.status_code == 404
    assert _TOKEN.sub(b"", theirs.content) == _TOKEN.sub(b"", missing.content)


def test_another_town_s_properties_are_absent_from_list_and_search(
    cast: Cast, houses: Houses, sign_in: SignedIn
) -> None:
    client = sign_in(cast.assessor_a)
    listed = client.get(f"/t/{cast.town_a.slug}/properties/").content.decode()
    assert "ELM" in listed
    assert "CANARY" not in listed
    found = client.get(f"/t/{cast.town_a.slug}/properties/suggest", {"q": "canary"}).json()
    assert found == {"hits": []}


def test_somebody_without_a_role_sees_no_town(cast: Cast, houses: Houses, sign_in: SignedIn) -> None:
    client = sign_in(cast.nobody)
    assert "no role" in client.get("/").content.decode()
    assert client.get(f"/t/{cast.town_a.slug}/").status_code == 404


def test_a_stranger_is_asked_to_sign_in(cast: Cast) -> None:
    answer = Client().get(f"/t/{cast.town_a.slug}/properties/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in?next=")
