"""A proxy that breaks connections, in front of a real server: bytes in, bytes out, and now and then a fault."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

CHUNK = 2048
FAULTS = (
    "latency", "2 kB/s", "reset going up", "reset coming down", "twice", "502 after the commit", "headers cut",
)  # fmt: skip


@dataclass
class FaultProxy:
    """Forwards connections to ``port``; each has, with ``rate``, one fault drawn from the seed.

    Attributes
    ----------
    counts
        How often each fault was done.
    """

    port: int
    rng: random.Random
    rate: float = 0.3
    counts: Counter[str] = field(default_factory=Counter)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection: requests of the client one after the other, and their answers."""
        try:
            while request := await _read_message(reader):
                fault = self.rng.choice(FAULTS) if self.rng.random() < self.rate else ""
                self.counts[fault or "none"] += 1
                if not await self._carry(request, writer, fault):
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _carry(self, request: bytes, writer: asyncio.StreamWriter, fault: str) -> bool:
        """Do one request; returns whether the connection can go on."""
        where = self.rng.randrange(1, max(2, len(request)))
        if fault == "latency":
            await asyncio.sleep(self.rng.uniform(0.02, 0.2))
        if fault == "reset going up":
            await self._ask(request[:where], is_whole=False)
            _reset(writer)
            return False
        if fault == "headers cut":
            await self._ask(request[: min(where, request.index(b"\r\n\r\n"))], is_whole=False)
            _reset(writer)
            return False
        if fault == "twice":
            await self._ask(request)
        answer = await self._ask(request)
        if fault == "502 after the commit":
            answer = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        if fault == "reset coming down":
            writer.write(answer[: self.rng.randrange(len(answer))])
            await writer.drain()
            _reset(writer)
            return False
        if fault == "2 kB/s":
            await _trickle(writer, answer)
        else:
            writer.write(answer)
            await writer.drain()
        return b"connection: close" not in answer[:2000].lower()

    async def _ask(self, request: bytes, *, is_whole: bool = True) -> bytes:
        """Send bytes to the server on a connection of their own, and return the answer to a whole request."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(request)
            await writer.drain()
            if not is_whole:
                return b""
            return await _read_message(reader, is_head=request.startswith(b"HEAD "))
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


async def _read_message(reader: asyncio.StreamReader, *, is_head: bool = False) -> bytes:
    """Return one HTTP message with its body, or nothing at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:] if b":" in line)
    if is_head:
        return head
    if b"chunked" in fields.get(b"transfer-encoding", b""):
        body = b""
        while not body.endswith(b"0\r\n\r\n"):
            body += await reader.readuntil(b"\r\n")
        return head + body
    return head + await reader.readexactly(int(fields.get(b"content-length", b"0")))


async def _trickle(writer: asyncio.StreamWriter, content: bytes) -> None:
    """Send at 2 kB/s; after the first few kB at full speed, since a test has only so long."""
    for start in range(0, min(len(content), 2 * CHUNK), CHUNK // 8):
        writer.write(content[start : start + CHUNK // 8])
        await writer.drain()
        await asyncio.sleep(1 / 8)
    writer.write(content[2 * CHUNK :])
    await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close by RST: what is under way in either direction is lost."""
    sock = writer.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@contextlib.contextmanager
def running(proxy: FaultProxy) -> Iterator[str]:
    """Run a proxy in a thread; gives its address.

    Only there: a browser that another test holds open runs a loop in the thread of the tests.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    started = asyncio.run_coroutine_threadsafe(asyncio.start_server(proxy.serve, "127.0.0.1", 0), loop)
    server = started.result(10)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        asyncio.run_coroutine_threadsafe(_stop(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _stop(server: asyncio.Server) -> None:
    server.close()
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
