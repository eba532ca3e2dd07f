"""What reaches no handler of an interface is answered with a problem document all the same."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.cast import Cast


@pytest.mark.parametrize(
    "path",
    ["/api/", "/api/v1/nothing", "/api/v2/towns", "/api/field/v1/nothing", "/api/field/", "/ogc/no/such"],
)
def test_an_unknown_address_is_a_problem_for_anybody(client: Client, cast: Cast, path: str):
    for _ in range(2):
        answer = client.get(path)
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
        assert (answer.json()["code"], answer.json()["instance"]) == ("not-found", path)
        client.force_login(cast.assessor_a, backend="django.contrib.auth.backends.ModelBackend")


@pytest.mark.parametrize("path", ["/api/field/v1/push", "/ogc/conformance"])
def test_a_method_that_is_not_taken_is_a_problem_that_names_those_that_are(client: Client, path: str):
    answer = client.delete(path)
    assert (answer.status_code, answer["Content-Type"]) == (405, "application/problem+json")
    assert answer["Allow"]


def test_people_get_a_page(client: Client, cast: Cast):
    client.force_login(cast.assessor_a, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get("/no/such/page")
    assert (answer.status_code, answer["Content-Type"]) == (404, "text/html; charset=utf-8")
