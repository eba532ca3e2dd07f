"""Which property a card is: the strongest identifier of the whole file first, whatever the order of its rows."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from assessment.property.imports.cards import CardImport, import_cards
from assessment.property.imports.outcome import ImportOutcome
from assessment.property.models import Property, PropertyAlias
from assessment.property.openings import NewAccount, open_real_accounts
from assessment.property.rules.addresses import address_key
from assessment.property.services import create_property
from assessment.property.tabular.problems import RowsRefused
from assessment.region.actors import Actor
from assessment.region.models import Town
from assessment.region.scope import scope
from tests.cast import SYSTEM, TOWN_A

IMPORTER = Actor.system("import_cama")
MAPPING = """
[card]
key = "alias.pid"
[[field]]
to = "alias.pid"
from = "pid"
[[field]]
to = "alias.account"
from = "account"
[[field]]
to = "alias.mbl"
from = "mbl"
[[field]]
to = "property.address"
from = "address"
[[field]]
to = "sale1.date"
value = "2001-02-03"
convert = "date"
"""
Row = tuple[str, str, str, str]
Import = Callable[..., dict[str, UUID]]


@pytest.fixture
def town(db: None) -> Town:
    """Town A."""
    return Town.objects.get(code=TOWN_A)


class Importer:
    """Imports rows of (pid, account, map and lot, address) and tells the property of each card."""

    def __init__(self, town: Town, folder: Path) -> None:
        self.town, self.path = town, folder / "cards.csv"
        self.mapping = folder / "ours.toml"
        self.mapping.write_text(MAPPING)
        self.outcome: ImportOutcome

    def __call__(self, *rows: Sequence[str], list_year: int = 2025, **options: Any) -> dict[str, UUID]:
        lines = ["pid,account,mbl,address", *(",".join((*row, *[""] * (4 - len(row)))) for row in rows)]
        self.path.write_text("\n".join([*lines, ""]))
        wanted = CardImport(self.path, list_year, mapping=str(self.mapping), **options)
        self.outcome = import_cards(self.town, actor=IMPORTER, wanted=wanted)
        # Each card mentions a sale, and a sale knows the property that its card became.
        return {sale.card_key: sale.property_id for sale in self.outcome.sales}

    @property
    def added(self) -> int:
        return self.outcome.counts["added"]

    def findings(self, reason: str = "ambiguous-match") -> set[str]:
        return {found.card for found in self.outcome.report.problems if str(found.reason) == reason}

    def inside(self) -> Any:
        return scope(SYSTEM, towns=[self.town.code], reason="looking")


@pytest.fixture
def cards(town: Town, tmp_path: Path) -> Importer:
    """Imports cards into town A."""
    return Importer(town, tmp_path)


@pytest.mark.parametrize("order", [1, -1])
def test_a_new_card_does_not_take_the_property_that_another_card_of_the_file_is(
    cards: Importer, order: int
) -> None:
    before = cards(("1", "", "10/1"))
    after = cards(*[("2", "", "10/1"), ("1", "", "10/1")][::order])
    assert (after["1"], cards.added) == (before["1"], 1)
    assert not cards.findings()


@pytest.mark.parametrize("order", [1, -1])
def test_a_new_card_batches_before_or_after_does_not_take_it_either(cards: Importer, order: int) -> None:
    known = [(str(n), "", f"10/{n}") for n in range(2_001)]
    before = cards(*known)
    after = cards(*[("new", "", "10/2000"), *known][::order])
    assert {pid: after[pid] for pid in before} == before
    assert cards.added == 1


@pytest.mark.parametrize("order", [1, -1])
def test_a_stronger_of_the_other_identifiers_goes_before_a_weaker_one(cards: Importer, order: int) -> None:
    before = cards(("1", "A1", "10/1"))
    after = cards(*[("2", "", "10/1"), ("3", "A1", "")][::order])
    assert after["3"] == before["1"]
    assert cards.added == 1
    assert not cards.findings()


@pytest.mark.parametrize("order", [1, -1])
def test_an_address_is_used_only_when_no_card_is_the_property_by_an_identifier(
    cards: Importer, town: Town, order: int
) -> None:
    with cards.inside():
        held = create_property(
            town, actor=SYSTEM, reason="parcels", address="12 ELM ST", aliases={"mbl": "10/1"}
        )
    after = cards(*[("1", "", "", "12 ELM ST"), ("2", "", "10/1", "")][::order])
    assert after["2"] == held.id
    assert cards.added == 1


def test_a_card_whose_strongest_identifier_changed_is_found_by_the_next(cards: Importer) -> None:
    before = cards(("1", "A1", "10/1"), ("2", "A2", "10/2"))
    after = cards(("91", "A1", "10/1"), ("2", "A2", "10/2"))
    assert after == {"91": before["1"], "2": before["2"]}
    assert (cards.added, cards.findings("identifier-changed")) == (0, {"91"})
    assert cards.outcome.report.problems[0].sentence == (
        "Property 000001 had another identifier; it was found by a weaker one."
    )
    again = cards(("2", "A2", "10/2"), ("91", "A1", "10/1"))
    assert (again, cards.outcome.changes) == (after, 0)


@pytest.mark.parametrize("order", [1, -1])
def test_the_newest_identifier_of_a_kind_is_the_property_s_own(cards: Importer, order: int) -> None:
    cards(("1", "", "10/1"))
    renumbered = cards(("2", "", "10/1"))
    both = [("1", "", "10/1"), ("2", "", "10/1")][::order]
    after = cards(*both)
    assert (after["2"], cards.added) == (renumbered["2"], 1)
    for rows in (both, both[::-1]):
        assert cards(*rows) == after
        assert cards.outcome.changes == 0


def test_two_new_cards_with_one_property_s_map_and_lot_are_told_and_neither_takes_it(
    cards: Importer,
) -> None:
    before = cards(("1", "", "10/1"))
    after = cards(("2", "", "10/1"), ("3", "", "10/1"))
    assert before["1"] not in after.values()
    assert cards.added == 2
    assert cards.findings() == {"2", "3"}
    assert cards.outcome.counts["rejected"] == 0
    found = cards.outcome.report.problems[0]
    assert found.sentence == (
        "The card may be property 000001, but others share what they have in common; it became a property of "
        "its own."
    )
    again = cards(("3", "", "10/1"), ("2", "", "10/1"))
    assert (again, cards.outcome.changes, cards.findings()) == (after, 0, set())


def test_a_property_with_two_identifiers_of_the_file_s_kind_is_found_by_either_and_nothing_is_told(
    cards: Importer, town: Town
) -> None:
    account = NewAccount(aliases=(("pid", "1"), ("pid", "one")))
    day = dt.date(2020, 10, 1)
    with cards.inside():
        (held,) = open_real_accounts([account], actor=SYSTEM, town_code=town.code, source="parcels", on=day)
    assert cards(("1",)) == {"1": held}
    assert cards(("one",)) == {"one": held}
    assert not cards.outcome.report.problems


def test_an_identifier_that_is_also_an_older_one_of_a_property_without_a_card_is_told(
    cards: Importer,
) -> None:
    cards(("1", "", "10/1"))
    cards(("2", "", "10/1"))
    both = cards(("1", "", "10/1"), ("2", "", "10/1"))
    assert not cards.findings()
    assert cards(("1", "", "10/1")) == {"1": both["1"]}
    assert cards.findings() == {"1"}


def test_a_map_and_lot_that_several_properties_share_decides_nothing_and_is_told(cards: Importer) -> None:
    before = cards(("1", "", "10/1"), ("2", "", "10/1"))
    after = cards(("1", "", "10/1"), ("3", "", "10/1"))
    assert after["3"] not in before.values()
    assert cards.findings() == {"3"}
    alone = cards(("5", "", "10/1"))
    assert alone["5"] not in {*before.values(), *after.values()}
    assert cards.findings() == {"5"}
    cards(*((str(number), "", "10/1") for number in (1, 2, 3, 4, 5)))
    assert (cards.added, cards.findings()) == (1, set())  # each that it might have been has its card


def test_a_card_whose_own_identifier_two_properties_carry_is_refused_and_makes_no_third(
    cards: Importer, town: Town
) -> None:
    with cards.inside():
        for number in ("10/1", "10/2"):
            create_property(town, actor=SYSTEM, reason="parcels", aliases={"pid": "1", "mbl": number})
    assert cards(("1", "", "10/1"), ("2", "", "10/3")).keys() == {"2"}
    assert (cards.findings(), cards.outcome.counts["rejected"]) == ({"1"}, 1)
    assert cards.outcome.counts["accepted"] == 1
    assert cards.outcome.report.problems[0].rejected
    with pytest.raises(RowsRefused):
        cards(("1", "", "10/1"), ("4", "", "10/4"), on_error="abort")
    with cards.inside():
        assert Property.objects.count() == 3


def test_rows_that_lack_the_identifier_of_the_file_are_all_refused(cards: Importer) -> None:
    assert cards(("1", "", "10/1"), ("", "", "10/2"), ("", "", "10/3")).keys() == {"1"}
    assert cards.outcome.report.by_reason == {"blank-required": 2}


def test_a_file_by_another_identifier_finds_all_properties_of_the_first(cards: Importer, town: Town) -> None:
    rows = [(str(n), f"A{n}", f"10/{n // 2}") for n in range(40)]
    with cards.inside():
        held = {
            pid: create_property(
                town, actor=SYSTEM, reason="parcels", aliases={"account": account, "mbl": lot}
            ).id
            for pid, account, lot in rows
        }
    random.Random(7).shuffle(rows)
    assert cards(*rows) == held
    assert cards.added == 0


# --- random files ---

_ADDRESSES = ("", "1 ELM ST", "2 ELM ST")
_ROW = st.tuples(
    st.integers(1, 5).map(str),
    st.sampled_from(("", "A1", "A2", "A3")),
    st.sampled_from(("", "10/1", "10/2")),
    st.sampled_from(_ADDRESSES),
)
_FILE = st.lists(_ROW, min_size=1, max_size=5, unique_by=lambda row: row[0])


class Record:
    """The properties as they stand: their newest pid, what they share with cards, and who carries what."""

    def __init__(self, importer: Importer) -> None:
        with importer.inside():
            rows = list(
                PropertyAlias.objects.filter(valid_to=None)
                .order_by("valid_from", "id")
                .values_list("property_id", "id_type", "value")
            )
            addresses = dict(Property.objects.values_list("id", "address"))
        self.own = {property_id: value for property_id, kind, value in rows if kind == "pid"}
        self.marks: dict[UUID, set[tuple[str, str]]] = {each: set() for each in addresses}
        for property_id, kind, value in rows:
            self.marks[property_id].add((kind, value))
        for property_id, address in addresses.items():
            if property_id not in self.own and address:
                self.marks[property_id].add(("address", address_key(address)))


def marks_of(row: Row) -> set[tuple[str, str]]:
    """What a card can be told by."""
    pid, account, lot, address = row
    marks = {("pid", pid), ("account", account), ("mbl", lot), ("address", address_key(address))}
    return {(kind, value) for kind, value in marks if value}


def check_against_oracle(
    record: Record, rows: Sequence[Row], found: dict[str, UUID], told: set[str], changed: set[str]
) -> None:
    """What must hold of any import, found without the importer's own way of matching."""
    assert len(set(found.values())) == len(rows), "two cards of one file ended in one property"
    owners = Counter(record.own.values())
    own = {value: each for each, value in record.own.items() if owners[value] == 1}
    for row in rows:
        if row[0] in own:
            assert found[row[0]] == own[row[0]], "a property lost the card of its strongest identifier"
    carriers = Counter(mark for marks in record.marks.values() for mark in marks)
    free = record.marks.keys() - set(found.values())
    for row in rows:
        property_id = found[row[0]]
        if property_id in record.marks:
            assert marks_of(row) & record.marks[property_id], (
                "a card took a property that it shares nothing with"
            )
            alone = [mark for mark in marks_of(row) & record.marks[property_id] if carriers[mark] == 1]
            assert alone or record.own.get(property_id) == row[0], "a mark of several properties decided"
            shared = any(("pid", row[0]) in record.marks[each] for each in free)
            assert (row[0] in told) == (shared and record.own.get(property_id) == row[0])
            other = property_id in record.own and ("pid", row[0]) not in record.marks[property_id]
            assert (row[0] in changed) == other, "a change of the strongest identifier that was not told"
        else:
            shared = any(marks_of(row) & record.marks[each] for each in free)
            assert (row[0] in told) == shared, "a doubt that was not told, or none that was"


@given(
    parcels=st.lists(
        st.tuples(st.sampled_from(("", "10/1", "10/2")), st.sampled_from(_ADDRESSES)), max_size=2
    ),
    files=st.lists(st.tuples(_FILE, st.sampled_from((2024, 2025))), min_size=1, max_size=4),
    seed=st.integers(0, 2**16),
)
@example(parcels=[], files=[([("1", "", "10/1", "")], 2025), ([("2", "", "10/1", ""), ("1", "", "10/1", "")], 2025)],
         seed=0)  # fmt: skip
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_random_imports_agree_with_the_oracle_and_their_repetition_changes_nothing(
    cards: Importer,
    monkeypatch: pytest.MonkeyPatch,
    parcels: list[tuple[str, str]],
    files: list[tuple[list[Row], int]],
    seed: int,
) -> None:
    monkeypatch.setattr("assessment.property.imports.cards._BATCH", 2)
    shuffled = random.Random(seed)
    start = transaction.savepoint()
    with cards.inside():
        for lot, address in parcels:
            aliases = {"mbl": lot} if lot else {}
            create_property(cards.town, actor=SYSTEM, reason="parcels", address=address, aliases=aliases)
    for rows, year in files:
        record = Record(cards)
        other_order = shuffled.sample(rows, len(rows))
        before = transaction.savepoint()
        otherwise = {
            pid: each for pid, each in cards(*other_order, list_year=year).items() if each in record.marks
        }
        transaction.savepoint_rollback(before)
        found = cards(*rows, list_year=year)
        check_against_oracle(record, rows, found, cards.findings(), cards.findings("identifier-changed"))
        assert {pid: each for pid, each in found.items() if each in record.marks} == otherwise
        assert cards(*other_order, list_year=year) == found
        assert (cards.added, cards.outcome.changes) == (0, 0)
    transaction.savepoint_rollback(start)
