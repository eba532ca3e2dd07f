"""Where a town is in its year: the steps of each list that is in work."""

from __future__ import annotations

from django.urls import reverse

from assessment.office.registries import PageScope, Step, Track
from assessment.office.tags import day
from assessment.roll.models import BalanceRun, Certification, GrandList
from assessment.roll.selectors import list_grand_lists

_TITLES = {
    "opened": "Opened",
    "balanced": "Balanced",
    "valued": "Valued",
    "signed": "Signed",
    "board": "Board of appeals",
    "final": "Final",
}
# What is done at the step, once it is the one at hand.
_AT_HAND = {
    "balanced": "Balancing",
    "valued": "Valuing",
    "signed": "Signing",
    "board": "Board of appeals",
    "final": "Closing",
}
_ORDER = (
    GrandList.State.OPEN,
    GrandList.State.VALUED,
    GrandList.State.SIGNED,
    GrandList.State.AFTER_BOARD,
    GrandList.State.FINAL,
)


def tracks(scope: PageScope) -> list[Track]:
    """Return the track of each list that is not final, newest first; of the last one when all are final."""
    lists = list_grand_lists(scope.town.code)
    shown = [each for each in lists if each.state != GrandList.State.FINAL] or lists[:1]
    return [Track(_title(each), steps_of(each, scope)) for each in shown[:4]]


def _title(grand_list: GrandList) -> str:
    kind = "" if grand_list.kind == GrandList.Kind.REAL else f", {grand_list.get_kind_display().lower()}"
    return f"Grand list {grand_list.year}{kind}"


def steps_of(grand_list: GrandList, scope: PageScope | None = None) -> tuple[Step, ...]:
    """Return the list's steps; a conversion is balanced before anything else."""
    reached = _ORDER.index(GrandList.State(grand_list.state))
    names = [
        "opened",
        *(["balanced"] if grand_list.basis == GrandList.Basis.CONVERSION else []),
        "valued",
        "signed",
        "board",
        "final",
    ]
    is_balanced = reached >= 1 or (
        grand_list.basis == GrandList.Basis.CONVERSION
        and BalanceRun.objects.filter(grand_list=grand_list, run_at__gte=grand_list.changed_at)
        .exclude(differences__signed_off_at__isnull=True, differences__isnull=False)
        .exists()
    )
    done = {
        "opened": True,
        "balanced": is_balanced,
        "valued": reached >= 1,
        "signed": reached >= 2,
        "board": reached >= 3,
        "final": reached >= 4,
    }
    notes = {
        "opened": f"{grand_list.get_basis_display().split(' (')[0]}, {day(grand_list.opened_at)}",
        **_signed_note(grand_list, reached),
    }
    url = (
        reverse("grand-list", kwargs={"town": scope.town.slug, "grand_list_id": grand_list.pk})
        if scope
        else ""
    )
    current = next((name for name in names if not done[name]), "")
    return tuple(
        Step(
            _AT_HAND[name] if name == current else _TITLES[name],
            "done" if done[name] else "current" if name == current else "waiting",
            notes.get(name, ""),
            url if name == current else "",
        )
        for name in names
    )


def _signed_note(grand_list: GrandList, reached: int) -> dict[str, str]:
    if reached < 2:
        return {}
    signed_at = (
        Certification.objects.filter(grand_list=grand_list).values_list("signed_at", flat=True).first()
    )
    return {"signed": day(signed_at)}
