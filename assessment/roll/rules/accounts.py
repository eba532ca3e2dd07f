"""One account of a signed list, as plain values: what is hashed, printed, exported and tallied."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class SignedLine:
    """A component of an account by state detail code; `quantity` is exact text (acres) or empty."""

    code: str
    quantity: str
    unit: str
    appraised: int
    assessed: int


@dataclass(frozen=True, slots=True)
class SignedExemption:
    """An exemption of an account: the dollars that take effect, not those granted."""

    code: str
    amount: int
    statute: str


@dataclass(frozen=True, slots=True)
class SignedAccount:
    """One account of a list. `exempt_code` is the state's four-letter code when it is wholly exempt."""

    seq: int
    list_number: str
    property_id: str
    account: str
    owner: str
    co_owner: str
    mailing_address: str
    location: str
    confidential: bool
    exempt_code: str
    lines: tuple[SignedLine, ...]
    exemptions: tuple[SignedExemption, ...]

    @property
    def gross(self) -> int:
        """Assessed dollars before exemptions."""
        return sum(line.assessed for line in self.lines)

    @property
    def appraised(self) -> int:
        """Appraised dollars."""
        return sum(line.appraised for line in self.lines)

    @property
    def exempt(self) -> int:
        """Dollars of exemptions; all of the gross when the account is wholly exempt."""
        return self.gross if self.exempt_code else sum(item.amount for item in self.exemptions)

    @property
    def net(self) -> int:
        """Taxable dollars."""
        return self.gross - self.exempt


def cap_exemptions(gross: int, granted: Sequence[int]) -> list[int]:
    """Return the dollars of each granted exemption that take effect, in order, never above `gross` in all."""
    left, applied = gross, []
    for amount in granted:
        if amount < 0:
            raise ValueError("an exemption is zero or more")
        applied.append(min(amount, left))
        left -= applied[-1]
    return applied


LINE_FIELDS = ("code", "quantity", "unit", "appraised", "assessed")
EXEMPTION_FIELDS = ("code", "amount", "statute")


def content_of(account: SignedAccount) -> dict[str, Any]:
    """Return what is hashed of an account: every field and its sums, with lists for lines and exemptions."""
    return {
        "seq": account.seq,
        "list_number": account.list_number,
        "property_id": account.property_id,
        "account": account.account,
        "owner": account.owner,
        "co_owner": account.co_owner,
        "mailing_address": account.mailing_address,
        "location": account.location,
        "confidential": account.confidential,
        "exempt_code": account.exempt_code,
        "lines": [
            [line.code, line.quantity, line.unit, line.appraised, line.assessed] for line in account.lines
        ],
        "exemptions": [[item.code, item.amount, item.statute] for item in account.exemptions],
        "gross": account.gross,
        "exempt": account.exempt,
        "net": account.net,
    }


def account_from_content(content: Mapping[str, Any]) -> SignedAccount:
    """Rebuild an account from its hashed content; the stored sums are left for `sums_wrong` to check."""
    return SignedAccount(
        seq=content["seq"],
        list_number=content["list_number"],
        property_id=content["property_id"],
        account=content["account"],
        owner=content["owner"],
        co_owner=content["co_owner"],
        mailing_address=content["mailing_address"],
        location=content["location"],
        confidential=content["confidential"],
        exempt_code=content["exempt_code"],
        lines=tuple(SignedLine(*line) for line in content["lines"]),
        exemptions=tuple(SignedExemption(*item) for item in content["exemptions"]),
    )


def sums_wrong(content: Mapping[str, Any]) -> str | None:
    """Say which stored sum of a row does not follow from its lines and exemptions, or return None."""
    gross = sum(line[4] for line in content["lines"])
    exempt = gross if content["exempt_code"] else sum(item[1] for item in content["exemptions"])
    for name, expected in (("gross", gross), ("exempt", exempt), ("net", gross - exempt)):
        if content[name] != expected:
            return f"{name} is {content[name]:,}, its parts give {expected:,}"
    return None
