"""What the roll's addresses take and give."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal
from uuid import UUID

from ninja import Field, Schema


class TotalsOut(Schema):
    """Accounts and whole dollars."""

    accounts: int
    gross: int
    exempt: int
    net: int


class ListOut(Schema):
    """A grand list."""

    id: UUID
    year: int
    kind: str
    state: str
    basis: str
    base_revaluation_on: dt.date
    rounding: str
    is_signing_extended: bool


class CertificationOut(Schema):
    """The certification of a signed list, as it may be checked by anybody."""

    root: str
    statement: str
    signature: str
    public_key: str
    signed_at: dt.datetime
    signer_name: str
    pdf_sha256: str


class BalanceOut(Schema):
    """The last comparison with the town's own list."""

    run_at: dt.datetime
    accounts: int
    matched: int
    tolerance: int
    open_differences: int


class ListDetailOut(ListOut):
    """A grand list with its totals, certification and last balance."""

    totals: TotalsOut
    certification: CertificationOut | None
    balance: BalanceOut | None


class LineOut(Schema):
    """A component by state detail code."""

    code: str
    quantity: str
    unit: str
    appraised: int
    assessed: int


class ExemptionOut(Schema):
    """An exemption that takes effect."""

    code: str
    amount: int
    statute: str


class AccountOut(Schema):
    """An account, as signed or, before the signing, as it stands."""

    property_id: UUID
    list_number: str
    account: str
    owner: str
    co_owner: str
    location: str
    exempt_code: str
    lines: list[LineOut]
    exemptions: list[ExemptionOut]
    gross: int
    exempt: int
    net: int


class InstrumentLineOut(Schema):
    """A change in one code of a section."""

    section: str
    code: str
    appraised_change: int
    amount_change: int


class InstrumentOut(Schema):
    """A dated paper that changed an account after the signing."""

    number: str
    kind: str
    dated_on: dt.date
    property_id: UUID
    list_number: str
    statute: str
    explanation: str
    lines: list[InstrumentLineOut]


class AccountDetailOut(AccountOut):
    """An account with its instruments, and what they leave."""

    instruments: list[InstrumentOut]
    gross_after: int
    net_after: int


class BreakOut(Schema):
    """A place where a list is not what was signed."""

    where: str
    what: str


class VerificationOut(Schema):
    """The outcome of recomputing a signed list."""

    intact: bool
    root: str
    totals: TotalsOut
    breaks: list[BreakOut]


class LineIn(Schema):
    """A component to post; without `assessed` it is the list's ratio of `appraised`."""

    detail_code: str = Field(max_length=4)
    appraised: int = Field(ge=0)
    assessed: int | None = Field(default=None, ge=0)


class ReasonIn(Schema):
    """Why an account changes."""

    kind: str
    dated_on: dt.date
    explanation: str = Field(default="", max_length=400)
    permit_id: UUID | None = None


class PostingIn(Schema):
    """All components of an account, which replace those it has."""

    lines: list[LineIn] = Field(min_length=1)
    reason: ReasonIn | None = None


class ExemptionIn(Schema):
    """An exemption to grant; amount 0 takes it away."""

    code: str = Field(min_length=1, max_length=20)
    amount: int = Field(ge=0)
    statute: str = Field(default="", max_length=40)
    reason: ReasonIn


class ChangeIn(Schema):
    """Dollars, more or fewer, in one code of a section."""

    section: Literal["assessed", "exemption", "exempt_property"]
    code: str = Field(min_length=1, max_length=20)
    amount: int
    appraised: int = 0


class InstrumentIn(Schema):
    """An instrument to issue. Those of the board come from its decisions."""

    kind: Literal["correction", "proration", "omitted", "court"]
    dated_on: dt.date
    explanation: str = Field(min_length=1, max_length=400)
    statute: str = Field(default="", max_length=40)
    changes: list[ChangeIn] = Field(min_length=1)


class ExportIn(Schema):
    """Which files of a signed list to make."""

    profile: Literal["statutory", "public", "foi", "collector", "cog"] = "statutory"
    basis: Literal["signed", "board", "current"] = "current"
    formats: list[Literal["csv", "xlsx", "pdf"]] = ["csv", "xlsx", "pdf"]


class JobStartedOut(Schema):
    """The job that does the work; its page shows progress and files."""

    job_id: UUID
    state: str


class AbstractOut(Schema):
    """Sums of the M-13 and M-13a at each stage of the bridge."""

    root: str
    through: dt.date
    stages: list[dict[str, Any]]
