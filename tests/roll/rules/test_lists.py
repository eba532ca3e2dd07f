from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessment.roll.parameters import abstract_codes, parameter, parameter_names, partial_exemptions
from assessment.roll.rules.accounts import SignedAccount, SignedExemption, SignedLine
from assessment.roll.rules.balance import Side, balance
from assessment.roll.rules.codes import UnknownCodeError
from assessment.roll.rules.dated import NoValueInForceError, parameter_from_mapping
from assessment.roll.rules.numbering import number_accounts
from assessment.roll.rules.profiles import PROFILES, shown


def test_list_numbers_follow_the_owners_as_a_clerk_sorts_them():
    entries = [("Zito", "1 A", "1"), ("Ábel", "9 B", "2"), ("ABEL", "2 C", "3"), ("O'Hara", "1 B", "4")]
    assert number_accounts(2025, "real", entries) == [
        "2025-1-0000004",
        "2025-1-0000002",
        "2025-1-0000001",
        "2025-1-0000003",
    ]


@given(st.permutations([("Same", "Same St", str(n)) for n in range(8)]))
def test_list_numbers_do_not_depend_on_the_order_given(entries):
    numbers = dict(zip((entry[2] for entry in entries), number_accounts(2025, "real", entries), strict=True))
    assert numbers["0"] == "2025-1-0000001"
    assert numbers["7"] == "2025-1-0000008"


def test_every_parameter_file_is_complete_and_says_whether_it_was_verified():
    for name in parameter_names():
        for value in parameter(name).values:
            assert value.source
            assert isinstance(value.verified, bool)


def test_a_parameter_without_a_source_is_refused():
    raw = {
        "meaning": "x",
        "unit": "y",
        "values": [{"valid_from": date(2020, 1, 1), "value": 1, "verified": True}],
    }
    with pytest.raises(ValueError, match="source"):
        parameter_from_mapping("x", raw)


def test_a_parameter_has_the_value_of_the_day_and_none_before_its_first():
    hearing = parameter("elect_not_to_hear")
    assert hearing.on(date(2012, 10, 1)).value == 500_000
    assert hearing.on(date(2024, 10, 1)).value == 1_000_000
    with pytest.raises(NoValueInForceError):
        hearing.on(date(1999, 1, 1))


def test_the_abstract_has_classes_100_to_800_and_no_900():
    classes = {item.state_class for item in abstract_codes().details_of("real")}
    assert classes == {"100", "200", "250", "300", "400", "500", "600", "700", "800"}


def test_the_same_detail_code_means_land_on_the_real_list_and_horses_on_the_personal_one():
    codes = abstract_codes()
    assert codes.detail("real", "11").label == "Primary acreage"
    assert codes.detail("personal", "11").label == "Horses and ponies"


def test_unknown_codes_are_refused():
    codes = abstract_codes()
    with pytest.raises(UnknownCodeError):
        codes.detail("real", "99")
    with pytest.raises(UnknownCodeError):
        codes.exempt_label("ZZZX")
    assert codes.exempt_label("DBAX") == "Educational (CGS 12-81(7))"


def test_no_partial_exemption_claims_a_state_letter_that_nobody_has_read():
    assert all(row["opm_code"] is None and not row["verified"] for row in partial_exemptions().values())


OURS = {"1": Side(100_000, 97_000, {"11": 40_000, "13": 60_000}, {"VETERAN": 3_000}, "100")}


def test_equal_lists_balance_within_the_tolerance():
    theirs = {"1": Side(100_010, 97_010, {"11": 40_010, "13": 60_000}, {"VETERAN": 3_000}, "100")}
    result = balance(OURS, theirs, tolerance=15)
    assert result.matched == 1
    assert not result.differences


def test_what_differs_is_named_by_account_and_component():
    theirs = {"1": Side(100_000, 98_000, {"11": 50_000, "13": 50_000}, {"VETERAN": 2_000}, "100")}
    result = balance(OURS, theirs, tolerance=15)
    assert [(item.item, item.amount) for item in result.differences] == [
        ("component 11", -10_000),
        ("component 13", 10_000),
        ("exemption VETERAN", 1_000),
        ("net", -1_000),
    ]


def test_an_exemption_has_no_tolerance():
    theirs = {"1": Side(100_000, 97_001, {}, {"VETERAN": 2_999}, "100")}
    assert [item.item for item in balance(OURS, theirs, tolerance=15).differences] == ["exemption VETERAN"]


def test_an_account_on_one_side_only_is_a_difference():
    result = balance(OURS, {}, tolerance=15)
    assert [(item.item, item.ours, item.theirs) for item in result.differences] == [("account", 97_000, None)]
    assert result.classes[0].amount == 97_000


PROTECTED = SignedAccount(
    1, "1", "p", "a", "Judge Roe", "Roe", "PO Box 1", "5 Elm St", True, "",
    (SignedLine("13", "", "", 100, 70),), (SignedExemption("BLIND", 30, "12-81(17)"),),
)  # fmt: skip


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_a_protected_owner_is_named_to_the_collector_only(name):
    row = shown(PROTECTED, PROFILES[name], protected=False)
    text = f"{row.owner} {row.co_owner} {row.mailing_address}"
    assert ("Roe" in text) == (name == "collector")
    assert (row.gross, row.exempt, row.net) == (70, 30, 40)


@pytest.mark.parametrize("name", ["public", "foi", "cog"])
def test_nobody_outside_learns_why_an_account_is_exempt(name):
    assert [item.code for item in shown(PROTECTED, PROFILES[name], protected=False).exemptions] == ["ALL"]


def test_an_owner_protected_after_the_signing_is_suppressed_too():
    later = shown(SignedAccount(
        1, "1", "p", "a", "Officer Poe", "", "PO Box 2", "6 Elm St", False, "", (), (),
    ), PROFILES["public"], protected=True)  # fmt: skip
    assert later.owner == "Current Owner"
