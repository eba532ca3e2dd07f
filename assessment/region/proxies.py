"""What is believed of a request that came through a proxy: from where, and whether by HTTPS.

All of it hangs on one setting, ``TRUSTED_PROXIES``; gunicorn is told to believe nothing itself. Only the proxy
that holds the connection is asked: headers of anybody else are no more than what they claim.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from assessment.region.addresses import TrustedProxies, find_client, is_https, place_of


def client_address(request: HttpRequest) -> str | None:
    """Return the address by which whoever asks is counted, at sign-in and at the tablets' door.

    None for a Unix socket whose proxy is not trusted or names nobody. Of IPv6 it is the network's.
    """
    found = find_client(_peer(request), request.META.get("HTTP_X_FORWARDED_FOR", ""), _trusted())
    return None if found is None else str(place_of(found))


class ProxiesMiddleware:
    """Have a request be as secure as the trusted proxy says it was; stands before all that asks."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        said = request.META.get("HTTP_X_FORWARDED_PROTO")
        if said is not None and _trusted().trusts_peer(_peer(request)):
            # What `request.is_secure`, and with it every address that we print, is read from.
            request.META["wsgi.url_scheme"] = "https" if is_https(said) else "http"
        return self.get_response(request)


def _peer(request: HttpRequest) -> str:
    return request.META.get("REMOTE_ADDR") or ""


def _trusted() -> TrustedProxies:
    return _parsed(tuple(settings.TRUSTED_PROXIES))


@lru_cache(maxsize=8)
def _parsed(stated: tuple[str, ...]) -> TrustedProxies:
    return TrustedProxies.parse(stated)
