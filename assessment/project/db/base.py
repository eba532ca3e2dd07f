"""Database backend: PostgreSQL, and where no ``DATABASE_URL`` is given, the product's own cluster.

The cluster is started on the first connection and not on import, so that commands that need no
database (``ratio_study``, ``makemigrations``) never start one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db.backends.postgresql import base
from psycopg.conninfo import conninfo_to_dict


def parse_url(url: str) -> dict[str, Any]:
    """Read ``postgresql://user:password@host:port/name?sslmode=require`` as libpq does, for Django's settings."""
    stated = conninfo_to_dict(url)
    names = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    settings: dict[str, Any] = {name: str(stated.pop(key, None) or "") for key, name in names.items()}
    return {**settings, "OPTIONS": stated} if stated else settings


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL with the private cluster behind ``PRIVATE_CLUSTER`` (the var folder) in the settings."""

    def get_connection_params(self) -> dict[str, Any]:
        var_dir = self.settings_dict.get("PRIVATE_CLUSTER")
        if var_dir and not self.settings_dict.get("HOST"):
            from assessment.project.postgres import ensure_cluster

            cluster = ensure_cluster(Path(str(var_dir)))
            cluster.start()
            role = str(self.settings_dict.get("ROLE") or "grandlist_app")
            self.settings_dict.update(parse_url(cluster.url(role, "grandlist")))
        return super().get_connection_params()
