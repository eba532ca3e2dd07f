"""As of which day a run read the record, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def basis_in_words(told: Mapping[str, Any] | None) -> str:
    """Return what a run keeps of its basis (`FactsBasis.as_json`) as one sentence."""
    if not told or not told.get("as_of"):
        why = told.get("why") if told else ""
        return "Facts as the record stood when the run began" + (f": {why.rstrip('.')}." if why else ".")
    rebuilt, differ, not_yet = (int(told.get(key, 0)) for key in ("rebuilt", "differ", "not_yet_on_record"))
    return (
        f"Facts as of {told['as_of']} ({told['why']}): {rebuilt:,} properties rebuilt from the journal, of which "
        f"{differ:,} stood otherwise than now and {not_yet:,} were not on record yet; all others as they stand."
    )
