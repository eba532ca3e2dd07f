"""The judge can fail: each harm done to a world that is well is found, and named by its invariant."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings

from assessment.project.postgres import SUPERUSER
from fieldsync.client import Tablet
from tests.faults import acts
from tests.faults.conftest import NewWorld
from tests.faults.day import finish
from tests.faults.judge import judge
from tests.faults.world import World


def run_sql(world: World, *statements: str) -> None:
    """Do what no application role may: past policies, guards and journal."""
    with world.database.connect(SUPERUSER) as database:
        database.execute("SET session_replication_role = replica")
        for statement in statements:
            done = database.execute(statement)
            assert done.rowcount > 0, f"nothing was harmed by: {statement}"


FIRST = "(SELECT id FROM {} ORDER BY id LIMIT 1)"


def drop_a_ledger_row(world: World) -> None:
    run_sql(world, f"DELETE FROM fieldsync_mutation WHERE id = {FIRST.format('fieldsync_mutation')}")


def alter_a_ledger_row(world: World) -> None:
    run_sql(
        world,
        """UPDATE fieldsync_mutation SET body = jsonb_set(body, '{captured_at}', '"2020-01-01"')
        WHERE id = """ + FIRST.format("fieldsync_mutation"),
    )  # fmt: skip


def observe_twice(world: World) -> None:
    run_sql(
        world,
        "CREATE TEMP TABLE again AS SELECT * FROM assessment_observation WHERE mutation_id IS NOT NULL LIMIT 1",
        "UPDATE again SET id = gen_random_uuid()",
        "INSERT INTO assessment_observation SELECT * FROM again",
    )


def append_a_note_twice(world: World) -> None:
    run_sql(
        world,
        "UPDATE assessment_property SET comment = comment || E'\\n\\n' || comment WHERE comment <> ''",
    )


def put_a_photo_on_record_twice(world: World) -> None:
    run_sql(
        world,
        "CREATE TEMP TABLE again AS SELECT * FROM assessment_photo LIMIT 1",
        "UPDATE again SET id = gen_random_uuid()",
        "INSERT INTO assessment_photo SELECT * FROM again",
    )


def forget_a_value(world: World) -> None:
    run_sql(
        world,
        "UPDATE assessment_building SET style = 'forgotten', exterior_wall = 'forgotten'",
        "UPDATE assessment_journalentry SET before = before - 'style' - 'exterior_wall', "
        "after = after - 'style' - 'exterior_wall' WHERE operation = 'U'",
    )


def lose_a_conflict(world: World) -> None:
    run_sql(
        world,
        "DELETE FROM fieldsync_conflict",
        "UPDATE assessment_observation SET state = 'accepted' WHERE state = 'conflict'",
    )


def hide_a_conflict_that_arose_at_the_desk(world: World) -> None:
    run_sql(
        world,
        "DELETE FROM fieldsync_conflict",
        "UPDATE assessment_observation SET property_id = "
        + FIRST.format("assessment_property")
        + ", town_id = 999 WHERE state = 'conflict'",
    )


def keep_what_was_seen_out_of_the_history(world: World) -> None:
    run_sql(
        world,
        "UPDATE assessment_journalentry SET after = after - 'value' WHERE table_name = 'assessment_observation'",
    )


def keep_a_note_out_of_the_card(world: World) -> None:
    run_sql(world, "UPDATE assessment_inspection SET note = ''")


def empty_the_quarantine(world: World) -> None:
    run_sql(world, "UPDATE fieldsync_quarantine SET state = 'applied'")


def alter_a_replica(world: World) -> None:
    tablet = world.devices[0].tablet
    (package, *_) = tablet.store.packages()
    key, card = sorted(tablet.cards(package).items())[0]
    tablet.store.put_record(package, "card", key, {**card, "version": 999})


def remove_a_record_from_a_replica(world: World) -> None:
    tablet = world.devices[0].tablet
    (package, *_) = tablet.store.packages()
    key = sorted(tablet.cards(package))[0]
    gone = [{"seq": 1, "op": "remove", "kind": "card", "id": key}]
    tablet.store.apply_changes(package, gone, tablet.store.packages()[package])


def give_a_feed_number_twice(world: World) -> None:
    run_sql(world, "UPDATE fieldsync_packagerecord SET seq = 1")


def put_the_head_back(world: World) -> None:
    run_sql(world, "UPDATE fieldsync_feedhead SET head = 0")


def flip_a_bit_of_a_photo(world: World) -> None:
    sha256, _ = next(iter(world.entered.photos.values()))
    root = Path(settings.STORAGES["default"]["OPTIONS"]["location"])
    path = root / sha256[:2] / sha256[2:4] / sha256
    content = path.read_bytes()
    path.unlink()  # it shares its bytes with the backup
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def forget_the_bytes_of_a_photo(world: World) -> None:
    run_sql(world, "DELETE FROM assessment_blob WHERE media_type = 'image/jpeg'")


def write_past_the_journal(world: World) -> None:
    run_sql(world, "UPDATE assessment_building SET bedrooms = 7")


def give_a_number_to_two(world: World) -> None:
    """As a server would that does not notice copies of a tablet."""
    run_sql(
        world,
        """UPDATE fieldsync_mutation m SET device_seq = first.device_seq
        FROM (SELECT device_id, min(device_seq) AS device_seq, max(device_seq) AS last FROM fieldsync_mutation
              WHERE status = 'applied' GROUP BY 1) first
        WHERE m.device_id = first.device_id AND m.device_seq = first.last""",
    )


HARMS: list[tuple[Callable[[World], None], str]] = [
    (drop_a_ledger_row, "I1"),
    (alter_a_ledger_row, "I1"),
    (observe_twice, "I2"),
    (append_a_note_twice, "I2"),
    (put_a_photo_on_record_twice, "I2"),
    (forget_a_value, "I3"),
    (lose_a_conflict, "I3"),
    (hide_a_conflict_that_arose_at_the_desk, "I3"),
    (keep_what_was_seen_out_of_the_history, "I3"),
    (keep_a_note_out_of_the_card, "I3"),
    (empty_the_quarantine, "I3"),
    (give_a_feed_number_twice, "I5"),
    (put_the_head_back, "I5"),
    (flip_a_bit_of_a_photo, "I6"),
    (forget_the_bytes_of_a_photo, "I6"),
    (write_past_the_journal, "I7"),
    (give_a_number_to_two, "I8"),
    (alter_a_replica, "I4"),  # these two stay harmed
    (remove_a_record_from_a_replica, "I4"),
]


def live_a_quiet_day(new_world: NewWorld) -> World:
    """Two tablets with every kind of value, clashes, what no server can apply, and photos; all of it synced."""
    world = new_world(7, devices=2, houses=4)
    one, two = world.devices
    house = next(h for h in world.houses if all(h.property_id in _carried(d.tablet) for d in (one, two)))
    for device in (one, two):
        acts.visit(world, device, photos=2)
        for name in acts.FIELDS:
            acts.patch(world, device, house, name)
        acts.enter(world, device, house, {"kind": "card.sing"})
    finish(world)
    return world


def _carried(tablet: Tablet) -> set[str]:
    return {key for package in tablet.store.packages() for key in tablet.cards(package)}


@pytest.mark.slow
def test_the_judge_finds_every_harm_and_only_harms(new_world: NewWorld) -> None:
    world = live_a_quiet_day(new_world)
    assert judge(world).troubles == []
    world.back_up()
    for harm, invariant in HARMS:
        world.put_back()
        harm(world)
        found = {trouble[:2] for trouble in judge(world).troubles}
        assert invariant in found, harm.__name__
