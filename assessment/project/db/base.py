"""Database backend: PostgreSQL, and where no ``DATABASE_URL`` is given, the product's own cluster.

The cluster is started on the first connection and not on import, so that commands that need no
database (``ratio_study``, ``makemigrations``) never start one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.db.backends.postgresql import base


def parse_url(url: str) -> dict[str, str]:
    """Split ``postgresql://user:password@host:port/name?host=/socket`` into Django's settings."""
    parts = urlsplit(url)
    query = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
    return {
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(query.get("host", parts.hostname or "")),
        "PORT": unquote(query.get("port", str(parts.port or ""))),
    }


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
