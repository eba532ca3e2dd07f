"""Photos come whole and unaltered or not at all, over real HTTP and raw sockets."""

from __future__ import annotations

import base64
import hashlib
import random
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from django.core.files.storage import default_storage

from assessment.property.blobs import blob_path, open_blob
from assessment.property.models import Blob, Photo
from assessment.region.scope import scope
from fieldsync.client import ProblemAnswer, Tablet, uploads
from fieldsync.photos import spool
from fieldsync.photos.custody import expire_uploads
from fieldsync.photos.models import Upload
from tests.cast import SYSTEM, TOWN_A, TOWN_B, Cast
from tests.fieldsync.conftest import House, MakeTablet

CHUNK = "application/offset+octet-stream"


def make_bytes(count: int = 300_000, seed: int = 1) -> bytes:
    return b"\xff\xd8\xff\xe0" + random.Random(seed).randbytes(count - 4)


def describe(content: bytes, photo_id: str | None = None, sha256: str | None = None) -> dict[str, object]:
    return {
        "photo_id": photo_id or str(uuid4()),
        "sha256": sha256 or hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "mime": "image/jpeg",
    }


def blobs() -> list[str]:
    with scope(SYSTEM, towns=[TOWN_A, TOWN_B]):
        return sorted(Blob.objects.values_list("sha256", flat=True))


def read_blob(sha256: str) -> bytes:
    with open_blob(sha256) as file:
        return file.read()


def store_has(sha256: str) -> bool:
    return default_storage.exists(blob_path(sha256))


def send_cut(tablet: Tablet, server: str, url: str, offset: int, chunk: bytes, cut_at: int) -> None:
    """Send a chunk and break the line after ``cut_at`` of its bytes."""
    parts = urlsplit(server)
    token = tablet.transport._token or tablet.transport.renew_token()
    head = (
        f"PATCH {url} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {token}\r\n"
        f"Tus-Resumable: 1.0.0\r\nContent-Type: {CHUNK}\r\nUpload-Offset: {offset}\r\n"
        f"Content-Length: {len(chunk)}\r\n\r\n"
    )
    with socket.create_connection((parts.hostname or "", parts.port or 0)) as line:
        line.sendall(head.encode() + chunk[:cut_at])
        line.shutdown(socket.SHUT_WR)
        while line.recv(65536):
            pass


def test_a_photo_is_received_and_counts(tablet: Tablet, houses: list[House]) -> None:
    content = make_bytes()
    photo_id = tablet.take_photo(content, property_id=str(houses[0].property_id), role="front")
    tablet.push()
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Photo.objects.get(id=photo_id).state == "declared"
    assert tablet.upload_photos() == 1
    with scope(SYSTEM, towns=[TOWN_A]):
        photo = Photo.objects.get(id=photo_id)
        assert (photo.state, photo.media_type, photo.byte_count) == ("verified", "image/jpeg", len(content))
        assert read_blob(photo.sha256) == content


def test_bytes_may_come_before_their_declaration(tablet: Tablet, houses: list[House]) -> None:
    photo_id = tablet.take_photo(make_bytes(), property_id=str(houses[0].property_id))
    tablet.upload_photos()
    (result,) = tablet.push()
    assert (result["status"], result["upload"]["needed"]) == ("applied", False)
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Photo.objects.get(id=photo_id).state == "verified"


@pytest.mark.parametrize("cut_at", [0, 1, 65_536, 150_000, 299_999])
def test_a_photo_cut_short_does_not_count_and_is_resumed(tablet: Tablet, server: str, cut_at: int) -> None:
    content = make_bytes()
    photo = describe(content)
    url, offset = uploads.create(tablet.transport, photo)
    assert offset == 0
    send_cut(tablet, server, url, 0, content, cut_at)
    assert blobs() == []
    held = uploads.ask_offset(tablet.transport, url)
    assert held <= cut_at
    assert uploads.send_chunk(tablet.transport, url, held, content[held:]) == len(content)
    assert blobs() == [photo["sha256"]]


def test_every_way_to_alter_a_photo_is_refused(tablet: Tablet) -> None:
    content = make_bytes(20_000)
    true = hashlib.sha256(content).hexdigest()
    rng = random.Random(7)
    for round_number in range(60):
        altered = bytearray(content)
        match round_number % 4:
            case 0:
                altered[rng.randrange(len(altered))] ^= 1 << rng.randrange(8)
            case 1:
                altered = altered[: rng.randrange(1, len(altered))]
            case 2:
                start = rng.randrange(len(altered) - 200)
                altered[start : start + 100], altered[start + 100 : start + 200] = (
                    altered[start + 100 : start + 200],
                    altered[start : start + 100],
                )
            case 3:
                altered = bytearray(rng.randbytes(len(altered)))
        photo = describe(bytes(altered), sha256=true)
        with pytest.raises(ProblemAnswer) as refused:
            uploads.create(tablet.transport, photo, bytes(altered))
        assert (refused.value.status, refused.value.code) == (460, "checksum-mismatch")
        assert refused.value.headers["Upload-Offset"] == "0"
    assert blobs() == []
    assert not store_has(true)


def test_a_chunk_with_a_wrong_checksum_is_thrown_away_and_sent_again(tablet: Tablet) -> None:
    content = make_bytes()
    photo = describe(content)
    url, _ = uploads.create(tablet.transport, photo, content[:100_000])
    wrong = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    headers = {**uploads.CHUNK, "Upload-Offset": "100000", "Upload-Checksum": f"sha256 {wrong}"}
    with pytest.raises(ProblemAnswer) as refused:
        tablet.transport.send("PATCH", url, headers=headers, content=content[100_000:200_000])
    assert refused.value.status == 460
    assert uploads.ask_offset(tablet.transport, url) == 100_000
    uploads.send_chunk(tablet.transport, url, 100_000, content[100_000:200_000])
    assert uploads.send_chunk(tablet.transport, url, 200_000, content[200_000:]) == len(content)
    assert blobs() == [photo["sha256"]]


def test_a_photo_whose_hash_is_wrong_goes_back_to_the_start(tablet: Tablet) -> None:
    content = make_bytes()
    photo = describe(content, sha256="0" * 64)
    url, _ = uploads.create(tablet.transport, photo, content[:100_000])
    with pytest.raises(ProblemAnswer):
        uploads.send_chunk(tablet.transport, url, 100_000, content[100_000:])
    assert uploads.ask_offset(tablet.transport, url) == 0


def test_a_wrong_offset_is_told_the_right_one(tablet: Tablet) -> None:
    content = make_bytes()
    url, _ = uploads.create(tablet.transport, describe(content), content[:5000])
    with pytest.raises(ProblemAnswer) as refused:
        uploads.send_chunk(tablet.transport, url, 4000, content[4000:])
    assert (refused.value.status, refused.value.code) == (409, "upload-offset-wrong")
    assert refused.value.headers["Upload-Offset"] == "5000"


def test_more_bytes_than_declared_are_refused(tablet: Tablet) -> None:
    content = make_bytes(1000)
    url, _ = uploads.create(tablet.transport, describe(content), content[:500])
    with pytest.raises(ProblemAnswer) as refused:
        uploads.send_chunk(tablet.transport, url, 500, content)
    assert refused.value.status == 413


def test_an_upload_begun_twice_is_the_same_upload(tablet: Tablet) -> None:
    content = make_bytes()
    photo = describe(content)
    first = uploads.create(tablet.transport, photo, content[:1000])
    assert uploads.create(tablet.transport, photo) == (first[0], 1000)
    uploads.send_chunk(tablet.transport, first[0], 1000, content[1000:])
    assert uploads.create(tablet.transport, photo) == (first[0], len(content))


def test_the_same_photo_sent_at_once_by_several_threads_is_stored_once(
    tablet: Tablet, tmp_path: Path
) -> None:
    content = make_bytes()
    path = tmp_path / "photo"
    path.write_bytes(content)
    photo = {**describe(content), "path": str(path)}
    tablet.me()

    def send(_: int) -> str:
        return uploads.send_photo(tablet.transport, photo, chunk_bytes=64_000)

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(send, range(4)))) == 1
    assert blobs() == [photo["sha256"]]
    with scope(SYSTEM, towns=[TOWN_A]):
        assert read_blob(str(photo["sha256"])) == content


def test_the_same_id_with_other_bytes_is_kept_as_another_photo(tablet: Tablet, houses: list[House]) -> None:
    key = str(houses[0].property_id)
    first, second = make_bytes(seed=1), make_bytes(seed=2)
    photo_id = tablet.take_photo(first, property_id=key)
    other = {"sha256": hashlib.sha256(second).hexdigest(), "bytes": len(second), "property_id": key}
    tablet.record({"kind": "photo.declare", "entity_id": photo_id, "data": other})
    assert [result["status"] for result in tablet.push()] == ["applied", "applied"]
    with scope(SYSTEM, towns=[TOWN_A]):
        kept = {photo.sha256: photo for photo in Photo.objects.all()}
    assert set(kept) == {hashlib.sha256(first).hexdigest(), other["sha256"]}
    assert str(kept[hashlib.sha256(first).hexdigest()].id) == photo_id
    version = kept[str(other["sha256"])]
    assert (str(version.version_of), version.warnings[0]["code"]) == (photo_id, "other-bytes")


def test_bytes_that_the_town_has_are_not_sent_again(tablet: Tablet, houses: list[House]) -> None:
    content = make_bytes()
    for _ in range(2):
        tablet.take_photo(content, property_id=str(houses[0].property_id))
    tablet.push()
    tablet.upload_photos()
    with scope(SYSTEM, towns=[TOWN_A]):
        assert [photo.state for photo in Photo.objects.all()] == ["verified", "verified"]
    assert blobs() == [hashlib.sha256(content).hexdigest()]


def test_another_towns_bytes_are_as_if_there_were_none(make_tablet: MakeTablet, cast: Cast) -> None:
    ours, theirs = make_tablet(), make_tablet(cast.collector_b, TOWN_B)
    content = make_bytes()
    photo = describe(content)
    url, _ = uploads.create(theirs.transport, photo, content)
    sha256 = photo["sha256"]
    answer = ours.transport.send("POST", "photos/lookup", json={"sha256": [sha256]}).json()
    assert answer == {"known": [], "missing": [sha256]}
    for method, address in [("GET", f"blobs/{sha256}"), ("HEAD", url), ("DELETE", url)]:
        with pytest.raises(ProblemAnswer) as refused:
            ours.transport.send(method, address, headers=uploads.TUS)
        assert refused.value.status == 404
    assert theirs.transport.send("GET", f"blobs/{sha256}").content == content


def test_an_upload_that_was_ended_or_expired_is_gone(tablet: Tablet) -> None:
    content = make_bytes()
    ended, _ = uploads.create(tablet.transport, describe(content), content[:1000])
    tablet.transport.send("DELETE", ended, headers=uploads.TUS)
    expired, _ = uploads.create(tablet.transport, describe(content), content[:1000])
    with scope(SYSTEM, towns=[TOWN_A]):
        upload = Upload.objects.get(state="receiving")
        assert expire_uploads(TOWN_A, actor=SYSTEM, now=upload.expires_at) == 1
    for url in (ended, expired):
        with pytest.raises(ProblemAnswer) as refused:
            uploads.ask_offset(tablet.transport, url)
        assert refused.value.status == 410


def test_the_server_says_what_it_speaks(tablet: Tablet, server: str) -> None:
    answer = tablet.transport.http.request("OPTIONS", "/api/field/v1/uploads")
    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == "1.0.0"
    expected = "creation,creation-with-upload,checksum,expiration,termination"
    assert answer.headers["Tus-Extension"] == expected


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"Tus-Resumable": "0.2.2"}, 412, "tus-version-unsupported"),
        ({"Upload-Length": "x"}, 400, "upload-header-invalid"),
        ({"Upload-Length": str(64 * 1024 * 1024 + 1)}, 413, "upload-too-large"),
        ({"Upload-Metadata": "photo_id MQ=="}, 400, "upload-header-invalid"),
        ({"Upload-Checksum": "md5 AAAA"}, 400, "upload-header-invalid"),
        ({"Content-Type": "image/jpeg"}, 415, "upload-type-invalid"),
    ],
)
def test_a_wrong_header_is_a_problem(tablet: Tablet, change: dict[str, str], status: int, code: str) -> None:
    photo = describe(b"x" * 10)
    pairs = {"photo_id": photo["photo_id"], "sha256": photo["sha256"]}
    metadata = ",".join(f"{k} {base64.b64encode(str(v).encode()).decode()}" for k, v in pairs.items())
    headers = {**uploads.CHUNK, "Upload-Length": "10", "Upload-Metadata": metadata, **change}
    with pytest.raises(ProblemAnswer) as refused:
        tablet.transport.send("POST", "uploads", headers=headers, content=b"x" * 10)
    assert (refused.value.status, refused.value.code) == (status, code)


def test_a_disk_that_is_nearly_full_takes_no_photos_but_all_facts(
    tablet: Tablet, houses: list[House], settings: object
) -> None:
    settings.DISK_RESERVE_MB = 10**9  # type: ignore[attr-defined]
    content = make_bytes(1000)
    tablet.transport._sleep = lambda _: None
    with pytest.raises(ProblemAnswer) as refused:
        uploads.create(tablet.transport, describe(content), content)
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (507, "600")
    tablet.take_photo(content, property_id=str(houses[0].property_id))
    assert [result["status"] for result in tablet.push()] == ["applied"]


def test_where_only_post_goes_through_a_photo_is_sent_and_ended_by_post(tablet: Tablet) -> None:
    content = make_bytes(1000)
    url, _ = uploads.create(tablet.transport, describe(content), content[:400])
    override = {**uploads.CHUNK, "X-HTTP-Method-Override": "PATCH", "Upload-Offset": "400"}
    answer = tablet.transport.send("POST", url, headers=override, content=content[400:])
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, "1000")
    other = make_bytes(1000, seed=2)
    ended, _ = uploads.create(tablet.transport, describe(other), other[:400])
    tablet.transport.send("POST", ended, headers={**uploads.TUS, "X-HTTP-Method-Override": "DELETE"})
    for wrong in ("GET", "PUT", ""):
        with pytest.raises(ProblemAnswer) as refused:
            tablet.transport.send("POST", url, headers={**uploads.TUS, "X-HTTP-Method-Override": wrong})
        assert refused.value.code == "upload-header-invalid"
        assert refused.value.headers["Tus-Resumable"] == "1.0.0"
    with pytest.raises(ProblemAnswer) as gone:
        uploads.ask_offset(tablet.transport, ended)
    assert gone.value.status == 410
    assert blobs() == [hashlib.sha256(content).hexdigest()]


def test_all_bytes_that_were_not_verified_are_verified_before_they_are_told_of(tablet: Tablet) -> None:
    """As after a server that died between the last byte and its receipt."""
    content = make_bytes(5000)
    photo = describe(content)
    url, _ = uploads.create(tablet.transport, photo, content[:1000])
    upload_id = UUID(url.rpartition("/")[2])
    with spool.path_of(upload_id).open("ab") as file:
        file.write(content[1000:])
    assert uploads.ask_offset(tablet.transport, url) == 5000
    assert blobs() == [photo["sha256"]]
    other = describe(make_bytes(5000, seed=2))
    url, _ = uploads.create(tablet.transport, other, content[:1])
    spool.path_of(UUID(url.rpartition("/")[2])).write_bytes(content)
    with pytest.raises(ProblemAnswer) as refused:
        uploads.ask_offset(tablet.transport, url)
    assert (refused.value.status, refused.value.headers["Upload-Offset"]) == (460, "0")
    assert blobs() == [photo["sha256"]]
