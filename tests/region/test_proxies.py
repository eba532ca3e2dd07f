"""What is believed of a request's headers, from a trusted proxy and from anybody else."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from pytest_django import Settings

from assessment.region.proxies import ProxiesMiddleware, client_address
from tests.cast import PASSWORD, Cast

PROXY, CLIENT = "10.1.2.3", "203.0.113.9"


def is_secure(peer: str, said: str | None, *, over_tls: bool = False) -> bool:
    headers = {} if said is None else {"X-Forwarded-Proto": said}
    request = RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers, secure=over_tls)
    ProxiesMiddleware(lambda _request: HttpResponse())(request)
    return request.is_secure()


@pytest.fixture
def behind(settings: Settings) -> Settings:
    settings.TRUSTED_PROXIES = ["10.1.0.0/16"]
    return settings


def test_a_trusted_proxy_says_whether_it_was_https(behind: Settings) -> None:
    assert is_secure(PROXY, "https")
    assert not is_secure(PROXY, "http")
    assert not is_secure(PROXY, None)
    assert is_secure(PROXY, None, over_tls=True)
    assert not is_secure(PROXY, "http", over_tls=True)
    assert not is_secure(PROXY, "https, http")
    request = RequestFactory().get(
        "/", REMOTE_ADDR=PROXY, headers={"X-Forwarded-Proto": "https", "Host": "testserver"}
    )
    ProxiesMiddleware(lambda _request: HttpResponse())(request)
    assert request.build_absolute_uri("/field/#enrol=1") == "https://testserver/field/#enrol=1"


@pytest.mark.parametrize("peer", [CLIENT, "127.0.0.1", "", "garbage"])
def test_of_nobody_else_it_is_believed(behind: Settings, peer: str) -> None:
    assert not is_secure(peer, "https")
    assert is_secure(peer, "http", over_tls=True)


def test_with_nothing_set_nobody_is_believed(settings: Settings) -> None:
    assert settings.TRUSTED_PROXIES == []
    request = RequestFactory().get("/", REMOTE_ADDR="127.0.0.1", headers={"X-Forwarded-For": CLIENT})
    assert client_address(request) == "127.0.0.1"
    assert not is_secure("127.0.0.1", "https")


def test_a_request_without_an_address_has_none(behind: Settings) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR="", headers={"X-Forwarded-For": CLIENT})
    assert client_address(request) is None
    behind.TRUSTED_PROXIES = ["unix"]
    assert client_address(request) == CLIENT


def test_a_form_sent_by_https_is_taken_where_the_proxy_says_it_was(cast: Cast, behind: Settings) -> None:
    """Django compares the page's origin with how the request came."""
    codes = {}
    for peer in (PROXY, CLIENT):
        client = Client(enforce_csrf_checks=True, REMOTE_ADDR=peer)
        client.get("/sign-in")
        values = {
            "username": cast.assessor_a.email,
            "password": PASSWORD,
            "csrfmiddlewaretoken": client.cookies["grandlist_csrf"].value,
        }
        headers = {"Host": "testserver", "Origin": "https://testserver", "X-Forwarded-Proto": "https"}
        codes[peer] = client.post("/sign-in", values, headers=headers).status_code
    assert codes == {PROXY: 302, CLIENT: 403}


def attempt(cast: Cast, password: str, **about: str) -> int:
    values = {"username": cast.assessor_a.email, "password": password}
    headers = {"X-Forwarded-For": about.pop("said")} if "said" in about else {}
    return Client().post("/sign-in", values, headers=headers, **about).status_code  # type: ignore[arg-type]


def shut_out(cast: Cast, settings: Settings, **about: str) -> None:
    codes = [attempt(cast, "wrong", **about) for _ in range(settings.AXES_FAILURE_LIMIT + 1)]
    assert codes[0] == 200
    assert codes[-1] == 429


def test_a_stranger_behind_the_proxy_does_not_lock_a_person_out_of_the_office(
    cast: Cast, behind: Settings
) -> None:
    shut_out(cast, behind, REMOTE_ADDR=PROXY, said="192.0.2.66")
    assert attempt(cast, PASSWORD, REMOTE_ADDR=PROXY, said="192.0.2.66") == 429
    assert attempt(cast, PASSWORD, REMOTE_ADDR=PROXY, said=CLIENT) == 302


def test_made_up_addresses_give_nobody_more_attempts(cast: Cast, behind: Settings) -> None:
    shut_out(cast, behind, REMOTE_ADDR=PROXY, said="192.0.2.66")
    assert attempt(cast, PASSWORD, REMOTE_ADDR=PROXY, said=f"{CLIENT}, 192.0.2.66") == 429
    shut_out(cast, behind, REMOTE_ADDR=CLIENT)
    assert attempt(cast, PASSWORD, REMOTE_ADDR=CLIENT, said="192.0.2.77") == 429


def test_all_addresses_of_one_ipv6_network_have_the_attempts_of_one(cast: Cast, behind: Settings) -> None:
    shut_out(cast, behind, REMOTE_ADDR="2001:db8:1:2::1")
    assert attempt(cast, PASSWORD, REMOTE_ADDR="2001:db8:1:2::2") == 429
    assert attempt(cast, PASSWORD, REMOTE_ADDR="2001:db8:1:3::2") == 302


@pytest.mark.parametrize("peer", ["", "fe80::1%eth0", "garbage"])
def test_signing_in_is_paused_too_where_no_address_can_be_stored(
    cast: Cast, settings: Settings, peer: str
) -> None:
    shut_out(cast, settings, REMOTE_ADDR=peer)
