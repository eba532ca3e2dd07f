"""HTTP to the server: the device's token, problems as exceptions, waiting as the server asks."""

import time
from collections.abc import Callable
from typing import Any

import httpx

from fieldsync.client.device_key import DeviceKey

PREFIX = "/api/field/v1"
ATTEMPTS = 5


class ProblemAnswer(Exception):
    """The server answered with a problem; ``code`` and ``retry`` say what to do."""

    def __init__(self, response: httpx.Response) -> None:
        try:
            document = response.json()
        except ValueError:
            document = {}
        self.document: dict[str, Any] = document if isinstance(document, dict) else {}
        self.status = response.status_code
        self.code: str = self.document.get("code", "")
        # The answer to a HEAD has no document; its headers say as much.
        self.retry: str = self.document.get(
            "retry", "after" if "Retry-After" in response.headers else "never"
        )
        self.headers = response.headers
        super().__init__(f"{self.status} {self.code}: {self.document.get('detail', '')}")


class Transport:
    """Requests on behalf of one device.

    Parameters
    ----------
    base_url
        The server's address without the path of the API.
    key
        The device's key.
    http
        A client to use instead of one's own: for tests, proxies and other TLS roots.
    sleep
        How to wait; a test passes one that does not.
    """

    def __init__(
        self,
        base_url: str,
        key: DeviceKey,
        *,
        http: httpx.Client | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.http = http or httpx.Client(base_url=base_url, timeout=60)
        self.key = key
        self.device_id = ""
        self.town = 0
        self._token = ""
        self._sleep = sleep

    def send(self, method: str, path: str, *, signed: bool = True, **options: Any) -> httpx.Response:
        """Send one request; renews the token once, and waits when the server says when to come back.

        Raises
        ------
        ProblemAnswer
            Any answer of 400 or more that is not helped by a new token or by waiting.
        httpx.TransportError
            The line broke; whether the server acted is unknown, so the same request is sent again later.
        """
        headers = dict(options.pop("headers", {}))
        url = path if path.startswith("/") else f"{PREFIX}/{path}"
        renewed = False
        for attempt in range(ATTEMPTS):
            if signed:
                headers["Authorization"] = f"Bearer {self._token or self.renew_token()}"
            response = self.http.request(method, url, headers=headers, **options)
            if response.status_code < 400:
                return response
            problem = ProblemAnswer(response)
            if signed and problem.code == "reauth" and not renewed:
                renewed, self._token = True, ""
            elif problem.retry == "after" and attempt + 1 < ATTEMPTS:
                self._sleep(float(response.headers.get("Retry-After", "1")))
            else:
                raise problem
        raise problem

    def renew_token(self) -> str:
        """Sign the server's nonce and keep the token that is given for it."""
        body = {"device_id": self.device_id, "town": self.town}
        answer = self.http.post(f"{PREFIX}/devices/token", json=body)
        problem = ProblemAnswer(answer)
        if problem.code != "proof-needed":
            raise problem
        nonce = problem.document["nonce"]
        message = f"grandlist-token\n{self.device_id}\n{nonce}".encode()
        answer = self.http.post(
            f"{PREFIX}/devices/token", json={**body, "nonce": nonce, "signature": self.key.sign(message)}
        )
        if answer.status_code != 200:
            raise ProblemAnswer(answer)
        self._token = answer.json()["token"]
        return self._token
