"""The local authority for tablets."""

import datetime as dt
import socket
import ssl
import threading
from pathlib import Path

import pytest
from cryptography import x509

from assessment.project.serve.certificates import Certificate, ensure_certificate

NOW = dt.datetime.now(dt.UTC)


@pytest.fixture
def made(tmp_path: Path) -> Certificate:
    return ensure_certificate(tmp_path / "tls", ["localhost", "127.0.0.1"], now=NOW)


def _leaf(certificate: Certificate) -> x509.Certificate:
    return x509.load_pem_x509_certificate(certificate.certificate.read_bytes())


def test_a_client_that_trusts_the_authority_connects_without_warning(made: Certificate) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(made.certificate, made.key)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with server.wrap_socket(connection, server_side=True) as secure:
                secure.sendall(b"hello")

        thread = threading.Thread(target=answer)
        thread.start()
        client = ssl.create_default_context(cafile=str(made.authority))
        with (
            socket.create_connection(listener.getsockname()) as plain,
            client.wrap_socket(plain, server_hostname="127.0.0.1") as secure,
        ):
            assert secure.recv(5) == b"hello"
        thread.join()


def test_keys_are_readable_by_their_owner_only(made: Certificate) -> None:
    for name in ("ca.key", "server.key"):
        assert (made.key.parent / name).stat().st_mode & 0o077 == 0


def test_a_second_start_keeps_certificate_and_authority(made: Certificate) -> None:
    before = made.certificate.read_bytes()
    assert ensure_certificate(made.key.parent, ["localhost"], now=NOW).certificate.read_bytes() == before


def test_a_new_address_gets_a_new_certificate_of_the_same_authority(made: Certificate) -> None:
    before, authority = _leaf(made), (made.key.parent / "ca.crt").read_bytes()
    after = _leaf(ensure_certificate(made.key.parent, ["localhost", "10.1.2.3"], now=NOW))
    assert after.serial_number != before.serial_number
    assert (made.key.parent / "ca.crt").read_bytes() == authority


def test_a_certificate_is_renewed_before_it_ends_and_never_lasts_longer_than_browsers_allow(
    made: Certificate,
) -> None:
    leaf = _leaf(made)
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= dt.timedelta(days=398)
    later = leaf.not_valid_after_utc - dt.timedelta(days=20)
    assert _leaf(
        ensure_certificate(made.key.parent, ["localhost"], now=later)
    ).not_valid_after_utc > later + dt.timedelta(days=300)
