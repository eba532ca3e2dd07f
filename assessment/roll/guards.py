"""Triggers that keep what was signed as it was signed, whoever writes. They run with the writer's rights."""

from __future__ import annotations

from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

FUNCTIONS_SQL = """
CREATE OR REPLACE FUNCTION grandlist_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% on %: what was signed or decided is never changed, a later paper answers it', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'GL003';
END $$;

CREATE OR REPLACE FUNCTION grandlist_refuse_on_signed_list() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM changed_rows c JOIN assessment_grandlist g ON g.id = c.grand_list_id
             WHERE g.state NOT IN ('open', 'valued')) THEN
    RAISE EXCEPTION '% on %: the list is signed and changes by instruments only', TG_OP, TG_TABLE_NAME
      USING ERRCODE = 'GL004';
  END IF;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION grandlist_refuse_on_signed_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM changed_rows c JOIN assessment_assessment a ON a.id = c.assessment_id
             JOIN assessment_grandlist g ON g.id = a.grand_list_id WHERE g.state NOT IN ('open', 'valued')) THEN
    RAISE EXCEPTION '% on %: the list is signed and changes by instruments only', TG_OP, TG_TABLE_NAME
      USING ERRCODE = 'GL004';
  END IF;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION grandlist_keep_signed_list() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state NOT IN ('open', 'valued') THEN
    IF TG_OP = 'DELETE' OR NEW.state IN ('open', 'valued')
       OR (NEW.town_id, NEW.year, NEW.kind, NEW.id, NEW.base_revaluation_on)
          IS DISTINCT FROM (OLD.town_id, OLD.year, OLD.kind, OLD.id, OLD.base_revaluation_on) THEN
      RAISE EXCEPTION '% on %: a signed list is not opened, moved or deleted', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'GL004';
    END IF;
  END IF;
  RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
"""
KEEP_SIGNED_LIST_SQL = """
CREATE TRIGGER keep_signed_list BEFORE UPDATE OR DELETE ON assessment_grandlist
FOR EACH ROW EXECUTE FUNCTION grandlist_keep_signed_list();
"""
_EVENTS = {
    "insert": ("INSERT", "NEW"),
    "update_from": ("UPDATE", "OLD"),
    "update_to": ("UPDATE", "NEW"),
    "delete": ("DELETE", "OLD"),
}


class _Guard(Operation):
    reversible = True
    reduces_to_sql = True

    def __init__(self, *model_names: str) -> None:
        self.model_names = model_names

    def deconstruct(self) -> tuple[str, tuple[str, ...], dict[str, Any]]:
        return self.__class__.__name__, self.model_names, {}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Leave Django's state alone: triggers are the database's."""

    def statements(self, table: str) -> list[str]:
        """Return the statements that guard `table`."""
        raise NotImplementedError

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        for name in self.model_names:
            for statement in self.statements(to_state.apps.get_model(app_label, name)._meta.db_table):
                schema_editor.execute(statement)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Do nothing: the triggers go with the table."""


class NeverChange(_Guard):
    """Migration operation: nobody updates or deletes a row of the named models."""

    def statements(self, table: str) -> list[str]:
        return [
            f'CREATE TRIGGER never_change BEFORE UPDATE OR DELETE ON "{table}" '
            "FOR EACH STATEMENT EXECUTE FUNCTION grandlist_refuse_change()"
        ]

    def describe(self) -> str:
        return f"Keep rows of {', '.join(self.model_names)} for ever"


class FreezeAtSigning(_Guard):
    """Migration operation: rows of the named models stay as they are once their list is signed."""

    def statements(self, table: str) -> list[str]:
        by_list = table in ("assessment_assessment", "assessment_snapshotrow")
        function = "grandlist_refuse_on_signed_list" if by_list else "grandlist_refuse_on_signed_account"
        return [
            f'CREATE TRIGGER freeze_{name} AFTER {event} ON "{table}" REFERENCING {side} TABLE AS changed_rows '
            f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
            for name, (event, side) in _EVENTS.items()
        ]

    def describe(self) -> str:
        return f"Freeze {', '.join(self.model_names)} at the signing"
