"""The tables of an export as rows of plain values, one column list for each profile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from assessment.roll.rules.profiles import Profile
from assessment.roll.rules.standing import COMPONENT_COLUMNS, Listed, component_sums

Cell = str | int
ACCOUNT_COLUMNS = (
    "list_number", "account", "property_id", "owner", "co_owner", "mailing_address", "location",
    *(f"assessed_{name}" for name in COMPONENT_COLUMNS),
    "appraised", "gross", "exempt", "net", "exempt_code", "exemptions", "gross_after", "exempt_after", "net_after",
    "instruments",
)  # fmt: skip
LINE_COLUMNS = ("list_number", "account", "code", "quantity", "unit", "appraised", "assessed", "source")
EXEMPTION_COLUMNS = ("list_number", "account", "code", "amount", "statute", "source")
INSTRUMENT_COLUMNS = (
    "number", "kind", "dated_on", "list_number", "account", "section", "code", "appraised_change", "amount_change",
    "statute", "explanation",
)  # fmt: skip


def account_columns(profile: Profile) -> list[str]:
    """Return the columns of the accounts that a profile is given."""
    left_out = set()
    if not profile.owners:
        left_out |= {"owner", "co_owner"}
    if not profile.mailing:
        left_out.add("mailing_address")
    columns = [name for name in ACCOUNT_COLUMNS if name not in left_out]
    return [*columns, "suppressed"] if profile.suppression_column else columns


def account_row(item: Listed, columns: Sequence[str], component_of: Mapping[str, str]) -> list[Cell]:
    """Return one account's cells."""
    account = item.account
    values: dict[str, Cell] = {
        "list_number": account.list_number,
        "account": account.account,
        "property_id": account.property_id,
        "owner": account.owner,
        "co_owner": account.co_owner,
        "mailing_address": account.mailing_address,
        "location": account.location,
        "appraised": account.appraised,
        "gross": account.gross,
        "exempt": account.exempt,
        "net": account.net,
        "exempt_code": account.exempt_code,
        "exemptions": "; ".join(f"{part.code} {part.amount}" for part in account.exemptions),
        "gross_after": item.gross_after,
        "exempt_after": item.exempt_after,
        "net_after": item.net_after,
        "instruments": " ".join(item.instruments),
        "suppressed": "Y" if account.confidential else "N",
    }
    for name, amount in component_sums(account, component_of).items():
        values[f"assessed_{name}"] = amount
    return [values[name] for name in columns]


def line_rows(item: Listed) -> Iterator[list[Cell]]:
    """Yield the account's signed components."""
    account = item.account
    for line in account.lines:
        yield [
            account.list_number, account.account, line.code, line.quantity, line.unit, line.appraised, line.assessed,
            "signed",
        ]  # fmt: skip


def exemption_rows(item: Listed) -> Iterator[list[Cell]]:
    """Yield the account's signed exemptions; that of a wholly exempt account is its whole assessment."""
    account = item.account
    if account.exempt_code:
        yield [account.list_number, account.account, account.exempt_code, account.gross, "", "signed"]
    for part in account.exemptions:
        yield [account.list_number, account.account, part.code, part.amount, part.statute, "signed"]
