"""The trigger that numbers changes in the feeds at commit, in SQL.

Deferred, so that it runs after all other work of the transaction and its locks are held for as short as
can be. It is queued once for a transaction and town (a queued event for each journaled row cost a tenth
of a push), locks every affected head, in the order of packages, and numbers all that the transaction
journaled there. Numbering row by row deadlocks: measured with 8 writers on disjoint rows, 2 commits and
21 deadlocks. Where the check is called for early, what is journaled after it is queued again.

The function states the towns itself: at commit the scope of the transaction has been put back already.
It takes a shared lock that `fieldsync.feed.services` takes alone while it adds records to a package;
else a writer that looked for packages just before, and commits just after the package was read, would
be missed.
"""

MEMBERSHIP_LOCK = 0x67_6C_66  # the first key of pg_advisory_xact_lock(key, town)

NUMBER_CHANGES_SQL = """
CREATE OR REPLACE FUNCTION fieldsync_is_first_change(town smallint, is_on_cards boolean) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  queued text := 'grandlist.feed_queued_' || town;
BEGIN
  -- For this transaction only; a savepoint that is undone takes back the mark with the event it stands for.
  IF NOT is_on_cards OR coalesce(current_setting(queued, true), '') = 'yes' THEN
    RETURN false;
  END IF;
  PERFORM set_config(queued, 'yes', true);
  RETURN true;
END $$;
CREATE OR REPLACE FUNCTION fieldsync_number_changes() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  reading text;
  writing text;
  touched uuid[];
  owners uuid[];
  packages uuid[];
  records uuid[];
BEGIN
  PERFORM set_config('grandlist.feed_queued_' || NEW.town_id, '', true);
  reading := coalesce(current_setting('grandlist.read_towns', true), '');
  writing := coalesce(current_setting('grandlist.write_towns', true), '');
  PERFORM set_config('grandlist.read_towns', NEW.town_id::text, true),
          set_config('grandlist.write_towns', NEW.town_id::text, true);
  PERFORM pg_advisory_xact_lock_shared(:membership_lock, NEW.town_id);
  -- Into arrays first: as sub-queries of the statements below they were planned as nested scans of the
  -- journal, at 500 ms for a batch of 200 instead of 20.
  SELECT array_agg(DISTINCT j.property_id) FILTER (WHERE j.property_id IS NOT NULL),
         array_agg(DISTINCT j.row_id) FILTER (WHERE j.table_name = 'assessment_owner')
    INTO touched, owners
    FROM assessment_journalentry j
    WHERE j.id >= NEW.id AND j.town_id = NEW.town_id AND j.transaction_id = NEW.transaction_id;
  -- An owner belongs to no single property, but his name is on the cards of all that he owns.
  IF owners IS NOT NULL THEN
    touched := touched || ARRAY(SELECT DISTINCT h.property_id FROM assessment_ownership h
      WHERE h.town_id = NEW.town_id AND h.owner_id = ANY (owners) AND h.valid_to IS NULL);
  END IF;
  -- Looked up one by one: compared with the array of ids, or joined to them freely, all records of the town
  -- were read while the table had no statistics, as it has none just after it was filled. The wall names the
  -- town; naming it here too would lead the planner to the wall's index, which is the whole town again.
  SELECT array_agg(DISTINCT r.package_id), array_agg(r.id) INTO packages, records
    FROM (SELECT DISTINCT unnest(touched) AS id) t
    CROSS JOIN LATERAL (SELECT r.id, r.package_id FROM fieldsync_packagerecord r
      WHERE r.record_id = t.id AND r.op = 'put' OFFSET 0) r;
  PERFORM h.package_id FROM fieldsync_feedhead h
    WHERE h.is_open AND h.package_id = ANY (packages) ORDER BY h.package_id FOR UPDATE;
  IF FOUND THEN
    WITH changed AS (
      SELECT r.id, h.head + row_number() OVER (PARTITION BY r.package_id ORDER BY r.record_id, r.kind) AS seq
      FROM unnest(records) AS t(id) JOIN fieldsync_packagerecord r ON r.id = t.id
      JOIN fieldsync_feedhead h ON h.package_id = r.package_id AND h.is_open
      WHERE r.op = 'put'
    ), numbered AS (
      UPDATE fieldsync_packagerecord r SET seq = c.seq, content_hash = NULL FROM changed c WHERE r.id = c.id
      RETURNING r.package_id, r.seq
    ), stepped AS (
      UPDATE fieldsync_feedhead h SET head = n.head
      FROM (SELECT package_id, max(seq) AS head FROM numbered GROUP BY package_id) n
      WHERE h.package_id = n.package_id RETURNING h.package_id, h.head
    )
    INSERT INTO fieldsync_feedstep (id, town_id, package_id, last_seq, transaction_id, first_entry_id)
    SELECT gen_random_uuid(), NEW.town_id, s.package_id, s.head, NEW.transaction_id, NEW.id FROM stepped s;
  END IF;
  PERFORM set_config('grandlist.read_towns', reading, true),
          set_config('grandlist.write_towns', writing, true);
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION fieldsync_number_changes() FROM PUBLIC;
CREATE CONSTRAINT TRIGGER number_changes AFTER INSERT ON assessment_journalentry
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
WHEN (fieldsync_is_first_change(NEW.town_id, NEW.property_id IS NOT NULL OR NEW.table_name = 'assessment_owner'))
EXECUTE FUNCTION fieldsync_number_changes();
""".replace(":membership_lock", str(MEMBERSHIP_LOCK))

DROP_NUMBER_CHANGES_SQL = """
DROP TRIGGER number_changes ON assessment_journalentry;
DROP FUNCTION fieldsync_number_changes();
DROP FUNCTION IF EXISTS fieldsync_is_first_change(smallint, uuid);
DROP FUNCTION IF EXISTS fieldsync_is_first_change(smallint, boolean);
"""
