"""Who may be told what of the list: the profiles of an export and the suppression of protected owners.

CGS 1-217 keeps the residential address of listed officials from being disclosed. The pattern is the one the
state's parcel data use: the names are replaced, and the mailing address is the location.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from assessment.roll.rules.accounts import SignedAccount, SignedExemption

SUPPRESSED_OWNER = "Current Owner"
SUPPRESSED_CO_OWNER = "Current Co-Owner"


@dataclass(frozen=True, slots=True)
class Profile:
    """What an export gives.

    Attributes
    ----------
    suppress
        Protected owners are shown by the suppression pattern.
    owners, mailing
        Whether names, and mailing addresses, are given at all.
    exemption_codes
        Whether exemptions of taxable accounts are given by code. Some tell of a disability, of an income
        or of service, so the public sees only their sum.
    suppression_column
        Whether a column says that a row was suppressed (asked for by the state's collection).
    """

    name: str
    suppress: bool
    owners: bool
    mailing: bool
    exemption_codes: bool
    suppression_column: bool


PROFILES: Mapping[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile("statutory", True, True, False, True, False),
        Profile("public", True, True, False, False, False),
        Profile("foi", True, True, True, False, True),
        Profile("collector", False, True, True, True, False),
        Profile("cog", True, True, True, False, True),
    )
}


def shown(account: SignedAccount, profile: Profile, *, protected: bool) -> SignedAccount:
    """Return the account as `profile` may show it.

    Parameters
    ----------
    protected
        Whether an owner is protected today. An owner protected when the list was signed stays so.
    """
    hidden = profile.suppress and (protected or account.confidential)
    owner, co_owner, mailing = account.owner, account.co_owner, account.mailing_address
    if hidden:
        owner, mailing = SUPPRESSED_OWNER, account.location
        co_owner = SUPPRESSED_CO_OWNER if co_owner else ""
    if not profile.owners:
        owner = co_owner = ""
    exemptions = account.exemptions
    if exemptions and not profile.exemption_codes:
        exemptions = (SignedExemption("ALL", sum(item.amount for item in exemptions), ""),)
    return replace(
        account,
        owner=owner,
        co_owner=co_owner,
        mailing_address=mailing if profile.mailing else "",
        confidential=hidden,
        exemptions=exemptions,
    )
