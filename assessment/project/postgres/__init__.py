"""The private PostgreSQL cluster that Grandlist makes and starts when no DATABASE_URL is given.

Importable without Django: the database backend, the supervisor, the tests and the drill all use it.
"""

from assessment.project.postgres.cluster import Cluster, ensure_cluster
from assessment.project.postgres.errors import LauncherError
from assessment.project.postgres.roles import APP, BACKUP, OWNER, SEARCH, SUPERUSER

__all__ = ["APP", "BACKUP", "OWNER", "SEARCH", "SUPERUSER", "Cluster", "LauncherError", "ensure_cluster"]
