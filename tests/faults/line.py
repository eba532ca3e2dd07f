"""A line between a tablet and the application in this process, which breaks as it is told."""

from __future__ import annotations

import gzip
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import unquote_to_bytes

import httpx
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection

from tests.faults.crash import PowerCut, crash_at, lose_database_at


class Fault(StrEnum):
    """What can go wrong with one request."""

    LOST = "request lost"
    BODY_CUT = "body cut at a byte"
    UPLOAD_CUT = "photo cut at a byte of its upload"
    ANSWER_LOST = "answer lost after the commit"
    ANSWER_CUT = "answer cut at a byte"
    BAD_GATEWAY = "502 after the commit"
    TWICE = "request sent twice"
    LATE = "request lost, and delivered later out of order"
    STALE = "old request delivered once more"
    CRASH = "server killed before a statement"
    NO_DATABASE = "database lost before a statement"
    TABLET_DIES = "tablet killed while it waits"


class TabletDied(BaseException):
    """The tablet's process ended between sending a request and reading its answer."""


# Those by which a connection breaks: the others reach the tablet as an answer.
BREAKS = frozenset(
    {
        Fault.LOST,
        Fault.BODY_CUT,
        Fault.UPLOAD_CUT,
        Fault.ANSWER_LOST,
        Fault.ANSWER_CUT,
        Fault.LATE,
        Fault.CRASH,
        Fault.TABLET_DIES,
    }
)


@dataclass(frozen=True, slots=True)
class Sent:
    """One request as it went out."""

    method: str
    url: httpx.URL
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(slots=True)
class Answer:
    """What the application said."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass
class Line(httpx.BaseTransport):
    """Delivers requests to the application, with the faults that are planned for them.

    Attributes
    ----------
    plan
        ``number of the request from now -> (fault, where)``; the place is a byte, or the number of a
        statement. What is not planned for works. A cut of an upload waits for the next upload.
    counts
        The faults that truly happened; one planned for a request that never came is not among them.
    breaks
        How often this line broke.
    watch
        Is shown each whole answer that reached the tablet.
    """

    application: WSGIHandler
    counts: Counter[str]
    watch: Callable[[Sent, Answer], None] = lambda sent, answer: None
    plan: dict[int, tuple[Fault, int]] = field(default_factory=dict)
    number: int = 0
    breaks: int = 0
    is_down: bool = False
    waiting: list[Sent] = field(default_factory=list)
    earlier: list[Sent] = field(default_factory=list)

    def break_at(self, faults: dict[int, tuple[Fault, int]]) -> None:
        """Plan faults, counted from the next request; what was planned before is forgotten."""
        self.number, self.plan = 0, dict(faults)

    def mend(self) -> None:
        """Let the line work from now on, and deliver what was still under way."""
        self.plan, self.is_down = {}, False
        self.deliver_late()

    def deliver_late(self) -> None:
        """Deliver what was held up on the way; nobody waits for the answers any more."""
        waiting, self.waiting = self.waiting, []
        for sent in waiting:
            self._deliver(sent)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request through what is planned for it."""
        sent = Sent(request.method, request.url, tuple(request.headers.items()), request.read())
        self.number += 1
        fault, where = self.plan.pop(self.number, (None, 0))
        if self.is_down:
            raise httpx.ConnectError("the line is down")
        if fault is Fault.UPLOAD_CUT and not _is_upload(sent):
            self.plan.setdefault(self.number + 1, (fault, where))
            fault = None
        if sent.method not in ("GET", "HEAD") and len(self.earlier) < 40:
            self.earlier.append(sent)
        return self._suffer(sent, fault, where)

    def _suffer(self, sent: Sent, fault: Fault | None, where: int) -> httpx.Response:
        if fault is None:
            return self._reply(sent, self._deliver(sent))
        if fault is Fault.CRASH:
            return self._crash(sent, where)
        if fault is Fault.NO_DATABASE:
            with lose_database_at(where) as is_lost:
                answer = self._deliver(sent)
            if is_lost:
                self._count(fault)
            return self._reply(sent, answer)
        self._count(fault)
        if fault is Fault.LOST:
            raise httpx.ConnectError("the request was lost")
        if fault is Fault.LATE:
            self.waiting.append(sent)
            raise httpx.ReadTimeout("the request is under way")
        if fault is Fault.STALE and self.earlier:
            self._deliver(self.earlier[where % len(self.earlier)])
        if fault is Fault.TWICE:
            self._deliver(sent)
        if fault in (Fault.BODY_CUT, Fault.UPLOAD_CUT):
            self._deliver(sent, cut=where % (len(sent.body) + 1))
            raise httpx.WriteError("the line broke while sending")
        answer = self._deliver(sent)
        if fault is Fault.TABLET_DIES:
            raise TabletDied
        if fault is Fault.ANSWER_LOST:
            raise httpx.ReadError("the line broke while waiting")
        if fault is Fault.BAD_GATEWAY:
            return httpx.Response(502, content=b"<h1>Bad Gateway</h1>", headers={"Content-Type": "text/html"})
        if fault is Fault.ANSWER_CUT:
            cut = where % (len(answer.body) + 1)
            return httpx.Response(answer.status, headers=answer.headers, stream=_Cut(answer.body[:cut]))
        return self._reply(sent, answer)

    def _crash(self, sent: Sent, where: int) -> httpx.Response:
        try:
            with crash_at(where):
                answer = self._deliver(sent)
        except PowerCut as error:
            self._count(Fault.CRASH)
            connection.close()
            raise httpx.RemoteProtocolError("the server died") from error
        return self._reply(sent, answer)

    def _count(self, fault: Fault) -> None:
        self.counts[fault.value] += 1
        self.breaks += fault in BREAKS

    def _reply(self, sent: Sent, answer: Answer) -> httpx.Response:
        self.watch(sent, answer)
        return httpx.Response(answer.status, headers=answer.headers, stream=_Whole(answer.body))

    def _deliver(self, sent: Sent, cut: int | None = None) -> Answer:
        """Call the application as a server does."""
        body = sent.body if cut is None else sent.body[:cut]
        environ: dict[str, Any] = {
            "REQUEST_METHOD": sent.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(sent.url.raw_path.partition(b"?")[0]).decode("latin-1"),
            "QUERY_STRING": sent.url.query.decode("ascii"),
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.url_scheme": "http",
            "wsgi.version": (1, 0),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            "wsgi.errors": io.StringIO(),
            "wsgi.input": io.BytesIO(body),
        }
        for name, value in sent.headers:
            key = name.upper().replace("-", "_")
            environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
        answer = Answer(0, [], b"")

        def start(
            status: str, headers: list[tuple[str, str]], exc_info: Any = None
        ) -> Callable[[bytes], None]:
            answer.status, answer.headers = int(status.split(" ")[0]), headers
            return lambda text: None

        response = self.application(environ, start)
        try:
            answer.body = b"".join(response)
        finally:
            response.close()
        return answer


def _is_upload(sent: Sent) -> bool:
    return "/uploads" in sent.url.path and len(sent.body) > 0


class _Cut(httpx.SyncByteStream):
    """A body that breaks off."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def __iter__(self) -> Iterator[bytes]:
        yield self.body
        raise httpx.ReadError("the line broke while reading")


class _Whole(httpx.SyncByteStream):
    """A body as it came, still encoded."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def __iter__(self) -> Iterator[bytes]:
        yield self.body


def json_of(answer: Answer) -> Any:
    """Return the document in an answer, whatever its encoding."""
    encoded = {name.lower(): value for name, value in answer.headers}
    body = gzip.decompress(answer.body) if encoded.get("content-encoding") == "gzip" else answer.body
    return json.loads(body)
