"""The walls between towns: base model, foreign key and migration operations for row-level security.

Every table with town data derives from `TownModel` and is walled off by `WallOff` in a migration. The
tests read ``pg_class`` and ``pg_policy``, not the models, so a table without a wall fails the suite.
"""

from __future__ import annotations

from typing import Any

from django.apps.registry import Apps
from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from assessment.region.ids import new_id

APP_ROLE = "grandlist_app"

# Run first, by the owner. The read list contains the write list. STABLE, and called in a sub-select, so
# that it is evaluated once for a statement and an index on town_id can be used.
SCOPE_SQL = """
CREATE OR REPLACE FUNCTION grandlist_read_towns() RETURNS smallint[] LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT coalesce(string_to_array(nullif(current_setting('grandlist.read_towns', true), ''), ',')::smallint[], '{}') $$;
CREATE OR REPLACE FUNCTION grandlist_write_towns() RETURNS smallint[] LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT coalesce(string_to_array(nullif(current_setting('grandlist.write_towns', true), ''), ',')::smallint[], '{}') $$;
"""


class TownForeignKey(models.ForeignKey):  # type: ignore[type-arg]
    """A reference inside one town: the database holds ``(town_id, <name>_id)``, so it cannot cross the wall.

    Django's own single-column constraint is left out; `WallOff` makes the composite one.
    """

    def __init__(self, to: Any, on_delete: Any = models.PROTECT, **kwargs: Any) -> None:
        kwargs["db_constraint"] = False
        super().__init__(to, on_delete, **kwargs)


class TownModel(models.Model):
    """A row that belongs to one town and is seen only by those who act for it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    town = models.ForeignKey("assessment.Town", on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        abstract = True


def wall_sql(table: str, references: dict[str, str], *, append_only: bool) -> list[str]:
    """Return the statements that wall off ``table``.

    Parameters
    ----------
    references
        Column to referenced table, for each `TownForeignKey`.
    append_only
        The application role may insert and select, nothing else.
    """
    read = "town_id = ANY ((SELECT grandlist_read_towns())::smallint[])"
    write = "town_id = ANY ((SELECT grandlist_write_towns())::smallint[])"
    statements = [f'ALTER TABLE "{table}" ADD CONSTRAINT "{table[:50]}_wall" UNIQUE (town_id, id)']
    statements += [
        f'ALTER TABLE "{table}" ADD CONSTRAINT "{table[:30]}_{column[:22]}_in_town" FOREIGN KEY (town_id, "{column}") '
        f'REFERENCES "{target}" (town_id, id) DEFERRABLE INITIALLY DEFERRED'
        for column, target in references.items()
    ]
    statements += [
        f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
        f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY',
        f'CREATE POLICY town_reads ON "{table}" FOR SELECT USING ({read})',
        f'CREATE POLICY town_inserts ON "{table}" FOR INSERT WITH CHECK ({write})',
        f'CREATE POLICY town_updates ON "{table}" FOR UPDATE USING ({write}) WITH CHECK ({write})',
        f'CREATE POLICY town_deletes ON "{table}" FOR DELETE USING ({write})',
    ]
    if append_only:
        statements.append(f'REVOKE UPDATE, DELETE, TRUNCATE ON "{table}" FROM {APP_ROLE}')
    return statements


class WallOff(Operation):
    """Migration operation: wall off the tables of the named models of this app."""

    reversible = True
    reduces_to_sql = True

    def __init__(self, *model_names: str, append_only: bool = False) -> None:
        self.model_names = model_names
        self.append_only = append_only

    def deconstruct(self) -> tuple[str, tuple[str, ...], dict[str, Any]]:
        return self.__class__.__name__, self.model_names, {"append_only": self.append_only}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Leave Django's state alone: walls are the database's."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        apps: Apps = to_state.apps
        for name in self.model_names:
            model = apps.get_model(app_label, name)
            references = {
                field.column: field.remote_field.model._meta.db_table
                for field in model._meta.local_fields
                if isinstance(field, TownForeignKey)
            }
            for statement in wall_sql(model._meta.db_table, references, append_only=self.append_only):
                schema_editor.execute(statement)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Do nothing: the table goes with its model's operation."""

    def describe(self) -> str:
        return f"Wall off {', '.join(self.model_names)}"


class AddTownReference(Operation):
    """Migration operation: the composite foreign key of a `TownForeignKey` added to a walled table later."""

    reversible = True
    reduces_to_sql = True

    def __init__(self, model_name: str, field_name: str) -> None:
        self.model_name = model_name
        self.field_name = field_name

    def deconstruct(self) -> tuple[str, tuple[str, str], dict[str, Any]]:
        return self.__class__.__name__, (self.model_name, self.field_name), {}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Leave Django's state alone."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        field = model._meta.get_field(self.field_name)
        table, column, target = model._meta.db_table, field.column, field.remote_field.model._meta.db_table
        schema_editor.execute(
            f'ALTER TABLE "{table}" ADD CONSTRAINT "{table[:30]}_{column[:22]}_in_town" '
            f'FOREIGN KEY (town_id, "{column}") REFERENCES "{target}" (town_id, id) DEFERRABLE INITIALLY DEFERRED'
        )

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Do nothing: the constraint goes with its column."""

    def describe(self) -> str:
        return f"Hold {self.model_name}.{self.field_name} inside the town"
