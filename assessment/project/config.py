"""The typed readers of the environment: a bad value stops the start with one line that names it."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Literal

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import AnyUrl, Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from assessment.region.addresses import TrustedProxies

ROOT = Path(__file__).resolve().parents[2]


class Config(BaseSettings):
    """Everything an operator may set; docs/operations.md lists each with its default.

    Names are read with the prefix ``GRANDLIST_``, except the two that the platform names for us:
    ``DATABASE_URL`` (with ``DATABASE_OWNER_URL``) and ``CELERY_BROKER_URL``.
    """

    model_config = SettingsConfigDict(env_prefix="GRANDLIST_", extra="ignore", validate_default=True)

    debug: bool = False
    secret_key: str | None = Field(default=None, min_length=32)
    allowed_hosts: Annotated[list[str], NoDecode] = Field(
        default_factory=lambda: ["127.0.0.1", "localhost", "[::1]"]
    )
    trusted_origins: Annotated[list[str], NoDecode] = Field(default_factory=list)
    https: bool = False
    trusted_proxies: Annotated[list[str], NoDecode] = Field(default_factory=list)
    web_workers: int = Field(default=0, ge=0, le=64)
    var_dir: Path = ROOT / "var"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "console"] = "json"
    database_url: str | None = Field(default=None, validation_alias="DATABASE_URL")
    database_owner_url: str | None = Field(default=None, validation_alias="DATABASE_OWNER_URL")
    celery_broker_url: AnyUrl | None = Field(default=None, validation_alias="CELERY_BROKER_URL")
    tasks_eager: bool = False
    db_max_connection_age_s: int = Field(default=300, ge=0)
    metrics_allowed_networks: Annotated[list[str], NoDecode] = Field(
        default_factory=lambda: ["127.0.0.0/8", "::1/128"]
    )
    disk_reserve_mb: int = Field(default=500, ge=0)
    field_push_max_items: int = Field(default=200, ge=1, le=2000)
    field_push_max_bytes: int = Field(default=1024 * 1024, ge=64 * 1024, le=8 * 1024 * 1024)
    field_push_max_inflated_bytes: int = Field(default=8 * 1024 * 1024, ge=64 * 1024, le=64 * 1024 * 1024)
    field_push_max_nesting: int = Field(default=8, ge=6, le=50)
    field_push_slots: int = Field(default=4, ge=1, le=64)
    field_requests_per_s: float = Field(default=50, gt=0)
    field_request_burst: int = Field(default=1000, ge=10)
    field_door_requests_per_s: float = Field(default=20, gt=0)
    field_door_request_burst: int = Field(default=600, ge=10)
    field_address_requests_per_s: float = Field(default=100, gt=0)
    field_address_request_burst: int = Field(default=4000, ge=100)
    field_poll_s: int = Field(default=300, ge=5, le=86_400)
    field_grant_hours: int = Field(default=72, ge=1, le=24 * 31)
    field_min_app_version: str = Field(default="0.1.0", pattern=r"^\d+(\.\d+){0,3}$")
    upload_takeover_s: float = Field(default=3.0, ge=0)
    upload_silence_s: float = Field(default=60.0, gt=0)
    sign_in_attempts: int = Field(default=5, ge=1, le=50)
    sign_in_cooloff_minutes: int = Field(default=15, ge=1)

    @field_validator(
        "allowed_hosts", "trusted_origins", "trusted_proxies", "metrics_allowed_networks", mode="before"
    )
    @classmethod
    def _split_commas(cls, value: object) -> object:
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    @field_validator("metrics_allowed_networks")
    @classmethod
    def _networks_are_networks(cls, value: list[str]) -> list[str]:
        for network in value:
            ipaddress.ip_network(network)
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies_can_be_trusted(cls, value: list[str]) -> list[str]:
        TrustedProxies.parse(value)
        return value

    @field_validator("trusted_origins")
    @classmethod
    def _origins_have_a_scheme(cls, value: list[str]) -> list[str]:
        for origin in value:
            if not origin.startswith(("http://", "https://")):
                raise ValueError(f"{origin!r} must start with http:// or https://")
        return value

    @field_validator("database_url", "database_owner_url")
    @classmethod
    def _is_an_address_of_postgresql(cls, value: str | None) -> str | None:
        """Accept what libpq accepts, also a socket's folder; the value itself, with its password, is not shown."""
        if value is None:
            return None
        if not value.startswith(("postgresql://", "postgres://")):
            raise ValueError("must begin with postgresql://")
        try:
            stated = conninfo_to_dict(value)
        except psycopg.ProgrammingError as trouble:
            raise ValueError("is not an address that PostgreSQL understands") from trouble
        if not stated.get("dbname") or not stated.get("user"):
            raise ValueError("must name a user and a database: postgresql://user:password@host/database")
        return value

    @field_validator("database_owner_url")
    @classmethod
    def _owner_needs_a_database(cls, value: str | None, info: object) -> str | None:
        data = getattr(info, "data", {})
        if value is None and data.get("database_url") is not None:
            raise ValueError(
                "DATABASE_URL is set, so DATABASE_OWNER_URL (the role that migrates) must be too"
            )
        return value
