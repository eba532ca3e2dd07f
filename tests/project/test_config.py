"""The settings read from the environment."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from assessment.project.config import Config
from assessment.project.db.base import parse_url

OWNER = "postgresql://owner:pw@db.example/grandlist"


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "CELERY_BROKER_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://app:pw@db.example:5433/grandlist?sslmode=require",
        "postgresql://app:p%40ss@/grandlist?host=%2Ftmp%2Fsockets&port=5432",
    ],
)
def test_an_address_that_libpq_understands_is_taken(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("DATABASE_OWNER_URL", OWNER)
    assert Config().database_url == url


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("DATABASE_URL", "mysql://app:pw@db/grandlist", "must begin with postgresql://"),
        ("DATABASE_URL", "postgresql://db.example", "must name a user and a database"),
        ("DATABASE_URL", "postgresql://app@db/grandlist?colour=blue", "not an address that PostgreSQL"),
        ("GRANDLIST_LOG_LEVEL", "LOUD", "DEBUG"),
        ("GRANDLIST_SIGN_IN_ATTEMPTS", "0", "greater than or equal to 1"),
        ("GRANDLIST_METRICS_ALLOWED_NETWORKS", "10.0.0.300", "10.0.0.300"),
        ("GRANDLIST_TRUSTED_PROXIES", "10.0.0.300", "10.0.0.300"),
        ("GRANDLIST_TRUSTED_PROXIES", "10.1.2.3, proxy.example", "'proxy.example'.*10.1.2.0/24 or unix"),
        ("GRANDLIST_TRUSTED_PROXIES", "10.1.2.3/24", "10.1.2.3/24 has host bits set"),
        ("GRANDLIST_TRUSTED_PROXIES", "0.0.0.0/0", "is everybody"),
        ("GRANDLIST_TRUSTED_PROXIES", "::/0", "is everybody"),
        ("GRANDLIST_WEB_WORKERS", "many", "valid integer"),
        ("GRANDLIST_SECRET_KEY", "short", "at least 32"),
    ],
)
def test_a_value_that_cannot_work_is_refused_by_name(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_OWNER_URL", OWNER)
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=said):
        Config()


def test_no_proxy_is_trusted_until_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRANDLIST_TRUSTED_PROXIES", raising=False)
    assert Config().trusted_proxies == []
    monkeypatch.setenv("GRANDLIST_TRUSTED_PROXIES", "10.1.2.0/24, 2001:db8::7,unix")
    assert Config().trusted_proxies == ["10.1.2.0/24", "2001:db8::7", "unix"]


def test_a_database_without_its_owner_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", OWNER)
    with pytest.raises(ValidationError, match="DATABASE_OWNER_URL"):
        Config()


def test_everything_that_an_address_says_reaches_the_connection() -> None:
    assert parse_url("postgresql://app:p%40ss@db.example:5433/grand%20list?sslmode=verify-full") == {
        "NAME": "grand list",
        "USER": "app",
        "PASSWORD": "p@ss",
        "HOST": "db.example",
        "PORT": "5433",
        "OPTIONS": {"sslmode": "verify-full"},
    }


def test_every_setting_is_in_the_operators_handbook() -> None:
    handbook = (Path(__file__).resolve().parents[2] / "docs" / "operations.md").read_text()
    names = [
        str(field.validation_alias or f"GRANDLIST_{name.upper()}")
        for name, field in Config.model_fields.items()
    ]
    assert [name for name in names if f"`{name}`" not in handbook] == []
