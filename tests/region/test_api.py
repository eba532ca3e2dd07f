"""The signed-in person and the people of a town, over HTTP."""

from __future__ import annotations

from django.test import Client

from tests.cast import PASSWORD, Cast


def signed_in(person) -> Client:
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_me_lists_the_towns_with_roles_and_permissions(cast: Cast):
    answer = signed_in(cast.collector_a).get("/api/v1/me").json()
    assert answer["name"] == "Cora Collector"
    assert [(t["slug"], t["roles"], t["permissions"]) for t in answer["towns"]] == [
        ("hamden", ["data_collector"], ["inspect", "view"])
    ]


def test_me_needs_a_sign_in_and_says_so_as_a_problem(db):
    response = Client().get("/api/v1/me")
    assert (response.status_code, response["Content-Type"]) == (401, "application/problem+json")
    assert response.json()["code"] == "sign-in-needed"
    assert response.json()["request_id"] == response["X-Request-ID"]


def test_the_people_of_the_town_are_listed(cast: Cast):
    names = [p["name"] for p in signed_in(cast.clerk_a).get("/api/v1/towns/hamden/people").json()]
    assert names == ["Ada Assessor", "Cleo Clerk", "Cora Collector", "Dan Deputy", "Rae Coordinator"]


def test_another_towns_people_do_not_exist(cast: Cast):
    client = signed_in(cast.clerk_a)
    theirs, nothing = (client.get(f"/api/v1/towns/{slug}/people") for slug in ("west-hartford", "atlantis"))
    assert theirs.status_code == nothing.status_code == 404
    assert theirs.json()["code"] == nothing.json()["code"] == "not-found"


def test_an_unknown_address_of_the_api_is_a_problem_too(cast: Cast):
    response = signed_in(cast.clerk_a).get("/api/v1/towns/hamden/nonsense")
    assert response.status_code == 404


def test_the_sign_in_counts_wrong_passwords_and_then_waits(cast: Cast, settings):
    client = Client()
    for _ in range(settings.AXES_FAILURE_LIMIT):
        client.post("/sign-in", {"username": cast.clerk_a.email, "password": "wrong"})
    response = client.post("/sign-in", {"username": cast.clerk_a.email, "password": PASSWORD})
    assert response.status_code == 429
