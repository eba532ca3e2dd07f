"""Becoming the owner of the schema for a moment: migrations only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper

# Tables made later are the application role's to read and write; walls and append-only tables take back.
GRANTS_SQL = """
GRANT USAGE ON SCHEMA public TO grandlist_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO grandlist_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO grandlist_app;
"""


@contextmanager
def connect_as_owner(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Reconnect as the owner role for the time of the block, and grant the application role its rights."""
    before = dict(connection.settings_dict)
    connection.close()
    if before.get("OWNER_ROLE"):
        connection.settings_dict.update(before["OWNER_ROLE"])
    elif settings.DATABASE_OWNER_URL:
        parts = urlsplit(settings.DATABASE_OWNER_URL)
        connection.settings_dict.update(
            USER=unquote(parts.username or ""), PASSWORD=unquote(parts.password or "")
        )
    else:
        connection.settings_dict.update(ROLE="grandlist_owner", HOST="")
    try:
        with connection.cursor() as cursor:
            cursor.execute(GRANTS_SQL)
        yield
    finally:
        connection.close()
        connection.settings_dict.clear()
        connection.settings_dict.update(before)
