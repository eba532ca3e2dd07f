"""The database roles: who owns, who works, who searches, who backs up.

No role of the product is a superuser. The application role owns nothing and cannot bypass row-level
security; the search role bypasses it but cannot sign in, and only owns functions that filter by the stated
towns themselves.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

SUPERUSER = "postgres"
OWNER = "grandlist_owner"
APP = "grandlist_app"
SEARCH = "grandlist_search"
BACKUP = "grandlist_backup"

SIGN_IN_ROLES = (SUPERUSER, OWNER, APP, BACKUP)

_ATTRIBUTES = {
    OWNER: "LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE",
    APP: "LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE",
    SEARCH: "NOLOGIN NOSUPERUSER BYPASSRLS NOCREATEDB NOCREATEROLE",
    BACKUP: "LOGIN NOSUPERUSER BYPASSRLS NOCREATEDB NOCREATEROLE",
}
# Trusted extensions, which the owner may create; made here so that no migration depends on who runs it.
EXTENSIONS = ("pg_trgm", "btree_gist", "btree_gin", "unaccent", "fuzzystrmatch")


def create_roles(connection: psycopg.Connection, passwords: dict[str, str]) -> None:
    """Create or repair the roles of the product; safe to repeat.

    Parameters
    ----------
    connection
        Of a superuser, in autocommit.
    passwords
        By role name, for those of the roles that may sign in.
    """
    present = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
    for role, attributes in _ATTRIBUTES.items():
        verb = "ALTER" if role in present else "CREATE"
        statement = sql.SQL(f"{verb} ROLE {{}} {attributes}").format(sql.Identifier(role))
        if role in passwords:
            statement += sql.SQL(" PASSWORD {}").format(sql.Literal(passwords[role]))
        connection.execute(statement)
    connection.execute(f"GRANT pg_read_all_data TO {BACKUP}")
    # The owner may hand a function to the search role, but does not get its rights by itself.
    without_inheriting = " WITH INHERIT FALSE" if connection.info.server_version >= 160000 else ""
    connection.execute(f"GRANT {SEARCH} TO {OWNER}{without_inheriting}")


def prepare_database(connection: psycopg.Connection) -> None:
    """Give the connected database's public schema to the owner and let the others use it; safe to repeat.

    Parameters
    ----------
    connection
        Of a superuser, in autocommit, to the database itself.
    """
    name = sql.Identifier(connection.info.dbname)
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
    connection.execute(sql.SQL(f"GRANT CONNECT ON DATABASE {{}} TO {OWNER}, {APP}, {BACKUP}").format(name))
    connection.execute(f"ALTER SCHEMA public OWNER TO {OWNER}")
    connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    connection.execute(f"GRANT USAGE ON SCHEMA public TO {APP}, {BACKUP}")
    # CREATE is what ALTER FUNCTION ... OWNER TO asks of the new owner; the role cannot sign in.
    connection.execute(f"GRANT USAGE, CREATE ON SCHEMA public TO {SEARCH}")
    for extension in EXTENSIONS:
        connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(extension)))
