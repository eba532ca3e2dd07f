"""Search as one types: what it finds, for whom, and that it keeps its indexes behind the walls."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.db import connection

from assessment.property.bulk import insert_rows
from assessment.property.models import Owner, Ownership, Property
from assessment.property.search import search_properties
from assessment.property.services import record_confidentiality, set_alias
from assessment.region.ids import new_id
from assessment.region.owner import connect_as_owner
from assessment.region.scope import scope
from tests.cast import SYSTEM, TOWN_A, TOWN_B, Cast
from tests.databases import TestDatabase
from tests.property.conftest import House, make_house


@pytest.mark.parametrize(
    ("typed", "matched"),
    [
        ("9 elm", "address"),
        ("elm", "street"),
        ("000001", "account"),
        ("12-3", "identifier"),
        ("smith", "owner"),
        ("john smith", "owner"),
        ("lm 9", ""),
        ("street maple", ""),
        ("%", ""),
        ("_", ""),
        ("   ", ""),
    ],
)
def test_a_property_is_found_by_whatever_is_known_of_it(house: House, typed: str, matched: str) -> None:
    set_alias(house.property_id, actor=SYSTEM, id_type="mbl", value="12-3/45", reason="t")
    found = search_properties(typed, actor=house.assessor, towns=[TOWN_A])
    assert [hit.matched for hit in found] == ([matched] if matched else [])
    if found:
        assert (found[0].address, found[0].owner) == ("9 ELM ST", "SMITH JOHN")


def test_the_account_comes_before_the_address(house: House, cast: Cast) -> None:
    make_house(cast, address="000001 OAK ST")
    found = search_properties("000001", actor=house.assessor, towns=[TOWN_A])
    assert [hit.matched for hit in found] == ["account", "address"]


def test_another_town_s_properties_are_not_found(house: House, cast: Cast) -> None:
    other = cast.actor(cast.assessor_b)
    with scope(other, towns=[TOWN_B]):
        assert search_properties("9 elm", actor=other, towns=[TOWN_A, TOWN_B]) == []
    with scope(other):
        assert search_properties("9 elm", actor=other, towns=[]) == []


def test_a_confidential_owner_is_neither_found_by_name_nor_named(house: House) -> None:
    record_confidentiality(
        Owner.objects.get().id,
        actor=house.assessor,
        requested_on=dt.date(2026, 1, 5),
        agency="Judicial Branch",
    )
    assert search_properties("smith", actor=house.clerk, towns=[TOWN_A]) == []
    assert search_properties("john smith", actor=house.clerk, towns=[TOWN_A]) == []
    [by_address] = search_properties("9 elm", actor=house.clerk, towns=[TOWN_A])
    assert by_address.owner.startswith("Confidential")
    [for_office] = search_properties("smith", actor=house.assessor, towns=[TOWN_A])
    assert for_office.owner == "SMITH JOHN"


def fill_town(count: int) -> None:
    """Put many accounts with owners into town A."""
    ids = [new_id() for _ in range(count)]
    insert_rows(
        Property,
        [
            {
                "id": row_id, "town_id": TOWN_A, "account_number": f"{n:06d}", "address_number": str(n % 300),
                "address": f"{n % 300} {'ABCDEFGHIJ'[n % 10]}{n // 300} STREET", "street_name": f"S{n // 300} STREET",
            }
            for n, row_id in enumerate(ids, 1000)
        ],
    )  # fmt: skip
    owners = [{"id": new_id(), "town_id": TOWN_A, "name": f"OWNER{n:05d}"} for n in range(count)]
    insert_rows(Owner, owners)
    insert_rows(
        Ownership,
        [
            {"id": new_id(), "town_id": TOWN_A, "property_id": row_id, "owner_id": owner["id"],
             "valid_from": dt.date(2020, 1, 1)}
            for row_id, owner in zip(ids, owners, strict=True)
        ],
    )  # fmt: skip


def buffers(statement: str, *parameters: object) -> int:
    """Blocks that a statement touches, functions included."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", parameters)
        plan = cursor.fetchone()[0]
    plan = json.loads(plan) if isinstance(plan, str) else plan
    top = plan[0]["Plan"]
    return int(top["Shared Hit Blocks"] + top["Shared Read Blocks"])


def test_a_search_reads_its_indexes_and_not_the_table_as_the_application_role(
    committed_db: TestDatabase,
) -> None:
    with scope(SYSTEM, towns=[TOWN_A], reason="t"):
        fill_town(8_000)
    with connect_as_owner(connection), connection.cursor() as cursor:
        cursor.execute("ANALYZE assessment_property, assessment_owner, assessment_ownership")
        # What autovacuum does within a minute: empty the lists of entries that the index has not sorted in.
        for index in ("property_by_address_part", "owner_by_part"):
            cursor.execute("SELECT gin_clean_pending_list(%s::regclass)", [index])
    with scope(SYSTEM, towns=[TOWN_A]):
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user, pg_relation_size('assessment_property') / 8192")
            role, pages = cursor.fetchone()
        assert role == "grandlist_app"
        call = "SELECT * FROM grandlist_search_properties(%s, 10, '{}')"
        for typed in ("17 B", "OWNER0412", "J4", "00123", "NER04123", "nothing of the kind"):
            buffers(call, typed)  # the first call of a session plans the statements
            assert buffers(call, typed) < pages * 3 / 4, typed
        # The same search without the function: the walls put the index out of use.
        direct = "SELECT id FROM assessment_property WHERE upper(address) LIKE '17 B%%' LIMIT 10"
        assert buffers(direct) > pages * 3 / 4
