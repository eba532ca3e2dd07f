"""The assessor's office over HTTP: the same requests that its pages and scripts send."""

from __future__ import annotations

import re
import time
from typing import Any

import httpx

from assessment.demo.cycle.stage import CycleFailed

JOB_WITHIN_S = 180
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class Office:
    """One person signed in to the office.

    Raises
    ------
    CycleFailed
        On any answer that is not the expected one, with the problem's detail.
    """

    def __init__(self, base_url: str, email: str, password: str) -> None:
        self.email = email
        self._http = httpx.Client(base_url=base_url, timeout=120, follow_redirects=False)
        form = self._http.get("/sign-in")
        found = _TOKEN.search(form.text)
        if found is None:
            raise CycleFailed("the sign-in page has no form")
        answer = self._http.post(
            "/sign-in",
            data={"username": email, "password": password, "csrfmiddlewaretoken": found[1]},
            headers={"Referer": base_url},
        )
        if answer.status_code != 302:
            raise CycleFailed(f"{email} cannot sign in: {answer.status_code}")

    def close(self) -> None:
        """End the connection."""
        self._http.close()

    def get(self, path: str, **query: Any) -> Any:
        """Return the document at ``/api/v1`` + path."""
        return self._answer(self._http.get("/api/v1" + path, params=query), 200).json()

    def post(self, path: str, body: dict[str, Any] | None = None, *, expect: int = 200) -> Any:
        """Post a document and return the answer's."""
        return self._send("POST", path, body, expect)

    def put(self, path: str, body: dict[str, Any], *, expect: int = 200) -> Any:
        """Put a document and return the answer's."""
        return self._send("PUT", path, body, expect)

    def _send(self, method: str, path: str, body: dict[str, Any] | None, expect: int) -> Any:
        token = self._http.cookies.get("grandlist_csrf") or ""
        headers = {"X-CSRFToken": token, "Referer": str(self._http.base_url)}
        answer = self._http.request(method, "/api/v1" + path, json=body or {}, headers=headers)
        return self._answer(answer, expect).json()

    def page(self, path: str) -> str:
        """Return a page's text."""
        return self._answer(self._http.get(path), 200).text

    def wait_for_job(self, town: str, job_id: str) -> dict[str, Any]:
        """Wait until a job has succeeded and return it."""
        deadline = time.monotonic() + JOB_WITHIN_S
        while time.monotonic() < deadline:
            job: dict[str, Any] = self.get(f"/towns/{town}/jobs/{job_id}")
            if job["state"] == "succeeded":
                return job
            if job["state"] in ("failed", "cancelled"):
                raise CycleFailed(f"job {job['kind']} {job['state']}: {job.get('error')}")
            time.sleep(0.2)
        raise CycleFailed(f"job {job_id} did not end within {JOB_WITHIN_S} s")

    def _answer(self, answer: httpx.Response, expect: int) -> httpx.Response:
        if answer.status_code != expect:
            raise CycleFailed(
                f"{answer.request.method} {answer.request.url.path} answered {answer.status_code}, "
                f"expected {expect}: {answer.text[:400]}"
            )
        return answer
