"""The databases that the other tests stand on."""

import socket

import psycopg
import pytest
import pytest_socket
from django.db import connection

from assessment.region.models import Town
from tests.databases import TestDatabase


@pytest.mark.django_db
def test_the_tests_run_as_the_application_role_which_no_wall_lets_through() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        )
        assert cursor.fetchone() == ("grandlist_app", False, False)


def test_a_committed_database_shows_commits_to_other_connections(committed_db: TestDatabase) -> None:
    before = Town.objects.count()
    with committed_db.connect("grandlist_owner") as other:
        found = other.execute("SELECT count(*) FROM assessment_town").fetchone()
    assert found == (before,)
    with psycopg.connect(committed_db.superuser_url) as superuser:
        assert superuser.info.user == "postgres"


def test_no_test_reaches_the_network() -> None:
    with (
        pytest.warns(UserWarning, match="192.0.2.1"),
        pytest.raises(pytest_socket.SocketConnectBlockedError),
    ):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
