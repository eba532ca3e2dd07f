"""The headers of an upload and the first bytes of an image."""

import base64
from uuid import UUID

import pytest

from fieldsync.photos import rules

PHOTO = "01933f4a-7b1c-7a11-8d21-0f5d0a3b6c01"
SHA = "ab" * 32


def metadata(**pairs: str) -> str:
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in pairs.items())


def test_a_declared_photo_is_read() -> None:
    declared = rules.read_declared("300", metadata(photo_id=PHOTO, sha256=SHA.upper(), filetype="image/jpeg"))
    assert declared == rules.Declared(UUID(PHOTO), SHA, 300, "image/jpeg")


@pytest.mark.parametrize(
    ("length", "header"),
    [
        (None, metadata(photo_id=PHOTO, sha256=SHA)),
        ("-1", metadata(photo_id=PHOTO, sha256=SHA)),
        ("1e3", metadata(photo_id=PHOTO, sha256=SHA)),
        ("300", metadata(photo_id=PHOTO)),
        ("300", metadata(sha256=SHA)),
        ("300", metadata(photo_id="1", sha256=SHA)),
        ("300", metadata(photo_id=PHOTO, sha256="xy")),
        ("300", "photo_id !!!"),
        ("300", metadata(photo_id=PHOTO, sha256=SHA) + "," + metadata(sha256=SHA)),
        ("300", "a" * 5000),
        ("300", None),
    ],
)
def test_a_declaration_that_cannot_be_verified_is_refused(length: str | None, header: str | None) -> None:
    with pytest.raises(rules.BadHeader):
        rules.read_declared(length, header)


def test_a_chunks_checksum_is_read() -> None:
    digest = base64.b64encode(b"\x01" * 20).decode()
    assert rules.read_chunk_checksum(f"sha1 {digest}") == rules.ChunkChecksum("sha1", b"\x01" * 20)
    assert rules.read_chunk_checksum(None) is None


@pytest.mark.parametrize("header", ["md5 AAAA", "sha1 !", "sha256", ""])
def test_a_checksum_of_another_kind_is_refused(header: str) -> None:
    with pytest.raises(rules.BadHeader):
        rules.read_chunk_checksum(header or "none given")


@pytest.mark.parametrize(
    ("head", "mime"),
    [
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "image/png"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00", "image/heic"),
        (b"<svg xmlns=", None),
        (b"", None),
    ],
)
def test_the_bytes_and_not_the_device_say_what_an_image_is(head: bytes, mime: str | None) -> None:
    assert rules.sniff_mime(head) == mime
