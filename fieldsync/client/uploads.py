"""Sending a photo's bytes by tus 1.0, resumed where it broke off."""

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fieldsync.client.transport import ProblemAnswer, Transport

TUS = {"Tus-Resumable": "1.0.0"}
MISMATCHES_MOST = 3
CHUNK = {**TUS, "Content-Type": "application/offset+octet-stream"}


def send_photo(
    transport: Transport,
    photo: dict[str, Any],
    *,
    url: str | None = None,
    chunk_bytes: int = 8 * 1024 * 1024,
    begun: Callable[[str], None] = lambda url: None,
) -> str:
    """Send the bytes of one photo and return the address of its upload.

    A photo of one chunk is sent with its creation, in a single round trip. After a refusal (409, or a
    checksum that did not fit) the server's offset is asked for, never guessed.

    Parameters
    ----------
    photo
        ``photo_id``, ``sha256``, ``bytes``, ``mime`` and ``path``.
    url
        The upload's address when an earlier try made one.
    begun
        Called with the address of an upload that needs more than one request, to be kept for next time.

    Raises
    ------
    ProblemAnswer
        ``checksum-mismatch`` too often: the file here is not what was hashed when the photo was taken.
    """
    path, length = Path(photo["path"]), int(photo["bytes"])
    offset = 0
    if url is not None:
        try:
            offset = ask_offset(transport, url)
        except ProblemAnswer as problem:
            if problem.status not in (404, 410):
                raise
            url = None
    refused = 0
    while url is None or offset < length:
        try:
            if url is None:
                url, offset = create(transport, photo, _read(path, 0, chunk_bytes))
                if offset < length:
                    begun(url)
            else:
                offset = send_chunk(transport, url, offset, _read(path, offset, chunk_bytes))
        except ProblemAnswer as problem:
            if problem.status in (404, 410) and url is not None:
                url = None
            elif problem.retry == "resume" and "Upload-Offset" in problem.headers:
                refused += problem.code == "checksum-mismatch"
                if refused >= MISMATCHES_MOST:
                    raise
                offset = int(problem.headers["Upload-Offset"])
                url = url or create(transport, photo)[0]
            else:
                raise
    return url


def create(transport: Transport, photo: dict[str, Any], first_bytes: bytes = b"") -> tuple[str, int]:
    """Begin an upload, with its first bytes if any; returns its address and the server's offset."""
    metadata = {"photo_id": photo["photo_id"], "sha256": photo["sha256"], "filetype": photo["mime"]}
    headers = {
        **(CHUNK if first_bytes else TUS),
        "Upload-Length": str(photo["bytes"]),
        "Upload-Metadata": ",".join(
            f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in metadata.items()
        ),
    }
    answer = transport.send("POST", "uploads", headers=headers, content=first_bytes)
    return answer.headers["Location"], int(answer.headers["Upload-Offset"])


def ask_offset(transport: Transport, url: str) -> int:
    """Return how many bytes the server holds."""
    return int(transport.send("HEAD", url, headers=TUS).headers["Upload-Offset"])


def send_chunk(transport: Transport, url: str, offset: int, chunk: bytes) -> int:
    """Send one chunk with its checksum and return the server's offset behind it."""
    digest = base64.b64encode(hashlib.sha256(chunk).digest()).decode()
    headers = {**CHUNK, "Upload-Offset": str(offset), "Upload-Checksum": f"sha256 {digest}"}
    return int(transport.send("PATCH", url, headers=headers, content=chunk).headers["Upload-Offset"])


def _read(path: Path, offset: int, count: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(count)
