from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from assessment.roll.parameters import abstract_codes
from assessment.roll.rules.accounts import SignedAccount, SignedExemption, SignedLine, cap_exemptions
from assessment.roll.rules.m13 import Cell, Effect, bridge, tabulate

CODES = ["11", "13", "14", "22", "51", "61"]


def account(lines, exemptions=(), exempt_code="") -> SignedAccount:
    return SignedAccount(
        1, "1", "p", "a", "o", "", "", "l", False, exempt_code,
        tuple(SignedLine(code, "", "", amount * 2, amount) for code, amount in lines),
        tuple(SignedExemption(code, amount, "") for code, amount in exemptions),
    )  # fmt: skip


def test_an_account_counts_once_in_a_code_and_once_in_each_class():
    table = tabulate([account([("11", 100), ("11", 50), ("13", 700)], [("VETERAN", 30)])])
    assert table.assessed == {"11": Cell(1, 150), "13": Cell(1, 700)}
    assert (table.gross, table.exemptions, table.net) == (850, 30, 820)


def test_wholly_exempt_property_stands_on_the_m13a_and_not_on_the_m13():
    table = tabulate([account([("13", 900)], exempt_code="HAAX"), account([("13", 100)])])
    assert table.exempt_property == {"HAAX": Cell(1, 900)}
    assert (table.gross, table.exempt) == (100, 900)


def test_instruments_after_the_day_of_the_bridge_are_left_out():
    signed = tabulate([account([("13", 1000)])])
    effects = [
        Effect("board", "B-1", date(2026, 3, 30), "assessed", "13", -100),
        Effect("correction", "C-1", date(2026, 2, 10), "assessed", "13", 40),
        Effect("correction", "C-2", date(2026, 6, 1), "assessed", "13", 999),
    ]
    result = bridge(signed, effects, through=date(2026, 5, 1))
    assert [(step.kind, step.instruments) for step in result.steps] == [("board", 1), ("correction", 1)]
    assert result.after.gross == 940


@given(
    accounts=st.lists(
        st.lists(st.tuples(st.sampled_from(CODES), st.integers(0, 10**7)), min_size=1, max_size=5),
        max_size=30,
    ),
    effects=st.lists(
        st.tuples(
            st.sampled_from(["board", "correction", "proration"]),
            st.sampled_from(["assessed", "exemption", "exempt_property"]),
            st.sampled_from(CODES),
            st.integers(-(10**6), 10**6),
        ),
        max_size=20,
    ),
)
def test_lines_sum_to_accounts_accounts_to_the_signed_abstract_and_with_instruments_to_the_m13(
    accounts, effects
):
    rows = [account(lines) for lines in accounts]
    day = date(2026, 3, 1)
    signed = tabulate(rows)
    result = bridge(
        signed,
        [Effect(kind, str(n), day, *rest) for n, (kind, *rest) in enumerate(effects)],
        through=day,
    )  # fmt: skip
    assert signed.gross == sum(row.gross for row in rows)
    for section in ("assessed", "exemption", "exempt_property"):
        before = sum(cell.amount for cell in getattr(signed, section).values())
        after = sum(cell.amount for cell in getattr(result.after, section).values())
        assert after - before == sum(effect[3] for effect in effects if effect[1] == section)
    class_of = {item.code: item.state_class for item in abstract_codes().details_of("real")}
    assert sum(cell.amount for cell in signed.by_class(class_of).values()) == signed.gross


@given(gross=st.integers(0, 10**6), granted=st.lists(st.integers(0, 10**6), max_size=6))
def test_exemptions_never_take_more_than_there_is(gross, granted):
    applied = cap_exemptions(gross, granted)
    assert sum(applied) == min(gross, sum(granted))
    assert all(0 <= took <= given_ for took, given_ in zip(applied, granted, strict=True))
