"""Clients that others wrote send photos: tus-js-client and tuspy, against a real server."""

from __future__ import annotations

import base64
import gc
import hashlib
import json
import random
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from fieldsync.client import Tablet, uploads
from tests.fieldsync.photos.test_uploads import blobs, describe, make_bytes

ROOT = Path(__file__).parents[3]
SCRIPT = Path(__file__).with_name("tus_js.mjs")
Send = Callable[..., dict[str, Any]]

needs_node = pytest.mark.skipif(
    shutil.which("node") is None or not (ROOT / "node_modules" / "tus-js-client").is_dir(),
    reason="needs Node and `npm ci`",
)


@pytest.fixture
def photo(tmp_path: Path) -> dict[str, Any]:
    """A file of 300 kB, described."""
    content = make_bytes()
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    return {**describe(content), "path": str(path), "content": content}


@pytest.fixture
def send(tablet: Tablet, server: str, photo: dict[str, Any]) -> Send:
    """Send the photo by tus-js-client, in a process of its own; returns what it tells, or its signal."""

    def run(*, sha256: str = "", **job: Any) -> dict[str, Any]:
        metadata = {
            "photo_id": photo["photo_id"],
            "sha256": sha256 or photo["sha256"],
            "filetype": "image/jpeg",
        }
        document = {
            "endpoint": f"{server}/api/field/v1/uploads", "token": tablet.transport.renew_token(),
            "file": photo["path"], "metadata": metadata, **job,
        }  # fmt: skip
        done = subprocess.run(
            ["node", str(SCRIPT)], input=json.dumps(document), capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip
        if done.returncode < 0:
            return {"signal": -done.returncode}
        assert done.returncode == 0, done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    return run


@needs_node
def test_tus_js_sends_a_photo_in_chunks(send: Send, photo: dict[str, Any]) -> None:
    told = send(chunkSize=100_000)
    assert told["requests"] == ["POST", "PATCH", "PATCH", "PATCH"]
    assert blobs() == [photo["sha256"]]


@needs_node
def test_tus_js_sends_a_photo_with_its_creation(send: Send, photo: dict[str, Any]) -> None:
    assert send(duringCreation=True)["requests"] == ["POST"]
    assert blobs() == [photo["sha256"]]


@needs_node
def test_tus_js_begins_a_photo_again_and_it_is_the_same(send: Send, photo: dict[str, Any]) -> None:
    first = send(duringCreation=True, chunkSize=100_000)
    again = send(duringCreation=True, chunkSize=100_000)
    assert again["url"] == first["url"]
    assert again["requests"] == ["POST"]
    assert blobs() == [photo["sha256"]]


@needs_node
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_tus_js_goes_on_after_it_was_killed(
    send: Send, photo: dict[str, Any], tmp_path: Path, seed: int
) -> None:
    kill_at = random.Random(seed).randrange(1, 299_999)
    killed = send(urls=str(tmp_path / "urls"), chunkSize=64_000, killAt=kill_at)
    assert killed == {"signal": signal.SIGKILL}
    assert blobs() == []
    told = send(urls=str(tmp_path / "urls"), chunkSize=64_000)
    assert (told["resumed"], told["requests"][0]) == (True, "HEAD")
    assert blobs() == [photo["sha256"]]


@needs_node
def test_tus_js_recovers_when_the_server_is_further_than_it_thought(
    send: Send, photo: dict[str, Any]
) -> None:
    told = send(interfere=70_000, chunkSize=100_000)
    assert told["interfered"] == 204
    # The first chunk is refused by 409; it asks where to go on, and goes on.
    assert told["requests"][:4] == ["POST", "PATCH", "HEAD", "PATCH"]
    assert blobs() == [photo["sha256"]]


@needs_node
@pytest.mark.parametrize("during_creation", [True, False])
def test_tus_js_is_told_that_its_photo_is_not_what_it_declared(send: Send, during_creation: bool) -> None:
    told = send(sha256="0" * 64, duringCreation=during_creation)
    assert told["status"] == 460
    assert json.loads(told["problem"])["code"] == "checksum-mismatch"
    assert blobs() == []


@contextmanager
def tuspy(tablet: Tablet, server: str, photo: dict[str, Any], **options: Any) -> Iterator[Any]:
    """tuspy's uploader of the photo, which sends a checksum with each chunk of 100 kB."""
    client_module = pytest.importorskip("tusclient.client")
    token = tablet.transport.renew_token()
    client = client_module.TusClient(
        f"{server}/api/field/v1/uploads", headers={"Authorization": f"Bearer {token}"}
    )
    with Path(photo["path"]).open("rb") as file:
        usual = {
            "file_stream": file,
            "chunk_size": 100_000,
            "metadata": {"photo_id": photo["photo_id"], "sha256": photo["sha256"]},
            "upload_checksum": True,
        }
        yield client.uploader(**{**usual, **options})


class Addresses(dict[str, str]):
    """What tuspy keeps addresses in; its own files it does not close."""

    def __bool__(self) -> bool:
        return True  # tuspy takes an empty store for none

    get_item = dict.get
    set_item = dict.__setitem__
    remove_item = dict.__delitem__


def test_tuspy_sends_a_photo(tablet: Tablet, server: str, photo: dict[str, Any]) -> None:
    with tuspy(tablet, server, photo) as uploader:
        uploader.upload()
    assert blobs() == [photo["sha256"]]


# Where it keeps addresses it closes the streams it is given, and leaves open the files it opens itself.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_tuspy_goes_on_from_an_address_that_it_kept(
    tablet: Tablet, server: str, photo: dict[str, Any]
) -> None:
    options = {
        "store_url": True, "url_storage": Addresses(), "file_stream": None, "file_path": photo["path"],
    }  # fmt: skip
    with tuspy(tablet, server, photo, **options) as first:
        first.upload_chunk()
    with tuspy(tablet, server, photo, **options) as second:
        assert second.offset == 100_000
        second.upload()
    del first, second
    gc.collect()
    assert blobs() == [photo["sha256"]]


def test_a_chunk_of_tuspys_that_was_altered_on_the_way_is_refused(
    tablet: Tablet, server: str, photo: dict[str, Any]
) -> None:
    """Its checksums are of the file; what is sent in its place is the same chunk with one bit turned."""
    content: bytes = photo["content"]
    altered = bytearray(content[100_000:200_000])
    altered[5] ^= 1
    digest = hashlib.sha1(content[100_000:200_000]).digest()
    headers = {
        **uploads.CHUNK, "Upload-Offset": "100000",
        "Upload-Checksum": f"sha1 {base64.b64encode(digest).decode()}",
    }  # fmt: skip
    with tuspy(tablet, server, photo) as uploader:
        uploader.upload_chunk()
        address = urlsplit(uploader.url).path
        with pytest.raises(uploads.ProblemAnswer) as refused:
            tablet.transport.send("PATCH", address, headers=headers, content=bytes(altered))
        assert refused.value.status == 460
        uploader.upload()
    assert blobs() == [photo["sha256"]]
