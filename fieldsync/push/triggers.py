"""The guard of the ledger, in SQL: what was received stays as it was received."""

GUARD_LEDGER_SQL = """
CREATE OR REPLACE FUNCTION fieldsync_guard_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.status NOT IN ('received', 'held', 'quarantined')
    OR (to_jsonb(OLD) - 'status' - 'result' - 'held_for') IS DISTINCT FROM
       (to_jsonb(NEW) - 'status' - 'result' - 'held_for') THEN
    RAISE EXCEPTION 'the ledger keeps what was received and what became of it' USING ERRCODE = 'GL010';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_ledger BEFORE UPDATE ON fieldsync_mutation
FOR EACH ROW EXECUTE FUNCTION fieldsync_guard_ledger();
REVOKE DELETE, TRUNCATE ON fieldsync_mutation FROM grandlist_app;
"""

DROP_GUARD_LEDGER_SQL = """
DROP TRIGGER guard_ledger ON fieldsync_mutation;
DROP FUNCTION fieldsync_guard_ledger();
"""
