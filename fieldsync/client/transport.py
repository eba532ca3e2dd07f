"""HTTP to the server: the device's token, problems as exceptions, trying again as the server asks."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from fieldsync.client.device_key import DeviceKey

PREFIX = "/api/field/v1"
ATTEMPTS, NONCES_MOST = 5, 3
BACKOFF_S, BACKOFF_MOST_S = 0.5, 30.0
# Longer waits are the caller's: it has other work, and the user may want to see why nothing happens.
WAIT_MOST_S = 60.0
_AGAIN = frozenset({429, 500, 502, 503, 504})


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
        # The answer to a HEAD has no document; its headers and its status say as much.
        waits = self.status in _AGAIN or "Retry-After" in response.headers
        self.retry: str = self.document.get("retry", "after" if waits else "never")
        self.headers = response.headers
        super().__init__(f"{self.status} {self.code}: {self.document.get('detail', '')}")

    @property
    def retry_after_s(self) -> float:
        """How long the server asks to wait; 0 when it does not say."""
        try:
            return max(0.0, float(self.headers.get("Retry-After", "0")))
        except ValueError:
            return 0.0


class Transport:
    """Requests on behalf of one device.

    Every request of the protocol may be sent twice, so one whose answer was lost is simply sent again.

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
    attempts
        How often a request is tried before the trouble is the caller's.
    """

    def __init__(
        self,
        base_url: str,
        key: DeviceKey,
        *,
        http: httpx.Client | None = None,
        sleep: Callable[[float], None] = time.sleep,
        attempts: int = ATTEMPTS,
    ) -> None:
        self.http = http or httpx.Client(base_url=base_url, timeout=60)
        self.key = key
        self.device_id = ""
        self.town = 0
        self.app_version = ""
        self._token = ""
        self._sleep = sleep
        self._attempts = attempts

    def send(self, method: str, path: str, *, signed: bool = True, **options: Any) -> httpx.Response:
        """Send one request; renews the token once, and tries again when the line broke or the server asks.

        Raises
        ------
        ProblemAnswer
            Any answer of 400 or more that is not helped by a new token or by waiting.
        httpx.TransportError
            The line broke each time; whether the server acted is unknown, so it is sent again later.
        """
        headers = {"App-Version": self.app_version, **options.pop("headers", {})}
        url = path if path.startswith("/") else f"{PREFIX}/{path}"
        for is_renewed in (False, True):
            if signed:
                headers["Authorization"] = f"Bearer {self._token or self.renew_token()}"
            response = self._persist(method, url, headers=headers, **options)
            if response.status_code < 400:
                return response
            problem = ProblemAnswer(response)
            if not signed or problem.code != "reauth" or is_renewed:
                raise problem
            self._token = ""
        raise AssertionError("unreachable")

    @contextmanager
    def stream(self, path: str, *, headers: dict[str, str]) -> Iterator[httpx.Response]:
        """Open a download whose bytes the caller keeps as they come, so that a cut one is gone on with."""
        signed = {**headers, "Authorization": f"Bearer {self._token or self.renew_token()}"}
        with self.http.stream("GET", f"{PREFIX}/{path}", headers=signed) as response:
            if response.status_code >= 400:
                response.read()
                problem = ProblemAnswer(response)
                if problem.code == "reauth":
                    self._token = ""
                raise problem
            yield response

    def renew_token(self) -> str:
        """Sign the server's nonce and keep the token that is given for it."""
        body = {"device_id": self.device_id, "town": self.town}
        url = f"{PREFIX}/devices/token"
        answer = self._persist("POST", url, json=body)
        for _ in range(NONCES_MOST):
            problem = ProblemAnswer(answer)
            if problem.code != "proof-needed":
                raise problem
            nonce = problem.document["nonce"]
            message = f"grandlist-token\n{self.device_id}\n{nonce}".encode()
            # A nonce counts once: when the answer was lost on the way, the next one has to be signed.
            answer = self._persist(
                "POST", url, json={**body, "nonce": nonce, "signature": self.key.sign(message)}
            )
            if answer.status_code == 200:
                self._token = answer.json()["token"]
                return self._token
        raise ProblemAnswer(answer)

    def pause(self, attempt: int, asked_s: float = 0.0) -> None:
        """Wait before another try: as long as asked, else twice as long each time, and never all at once."""
        wait = max(asked_s, min(BACKOFF_MOST_S, BACKOFF_S * 2**attempt))
        # A thousand tablets that lost the same server must not come back in the same second.
        self._sleep(wait * (1 + random.random() / 2))  # noqa: S311

    def _persist(self, method: str, url: str, **options: Any) -> httpx.Response:
        """Send one request until there is an answer that waiting does not help."""
        for attempt in range(self._attempts):
            is_last = attempt + 1 == self._attempts
            try:
                response = self.http.request(method, url, **options)
            except httpx.TransportError:
                if is_last:
                    raise
                self.pause(attempt)
                continue
            if response.status_code < 400 or is_last:
                return response
            problem = ProblemAnswer(response)
            if problem.retry != "after" or problem.retry_after_s > WAIT_MOST_S:
                return response
            self.pause(attempt, problem.retry_after_s)
        raise AssertionError("unreachable")
