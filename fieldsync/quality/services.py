"""Drawing re-checks, comparing what came back, and sending a batch back that does not agree."""

from __future__ import annotations

import secrets
from collections import Counter
from decimal import Decimal
from uuid import UUID

from django.utils import timezone

from assessment.region.actors import Actor
from assessment.region.errors import Conflict, Invalid, NotFound
from assessment.region.models import Person
from assessment.region.rules import Permission
from fieldsync.packages.models import Package
from fieldsync.packages.services import assign_package, close_package, create_package
from fieldsync.quality.models import Recheck, RecheckItem
from fieldsync.quality.parameters import agreement_on
from fieldsync.quality.rules import agreement_percent, compare, draw_sample
from fieldsync.quality.selectors import Batch, entered_by, find_second_inspections, list_batch


def draw_recheck(
    town_code: int,
    *,
    actor: Actor,
    batch: Batch,
    percent: Decimal,
    list_year: int,
    title: str = "",
    seed: int | None = None,
    device_id: UUID | None = None,
    person_id: UUID | None = None,
) -> Recheck:
    """Draw a random share of what one person inspected, as a blind package for another.

    Parameters
    ----------
    percent
        5 to 10.
    seed
        Draws the same again; a fresh one is made and kept when none is given.

    Raises
    ------
    NotFound
        There is no such person or package.
    Invalid
        The person inspected nothing in the batch, or the share is not 5 to 10 percent.
    Conflict
        It would go to the person who inspected first.
    """
    actor.require(Permission.MANAGE_PACKAGES, town_code)
    first = Person.objects.filter(id=batch.person_id).first()
    if first is None or (batch.package_id and not Package.objects.filter(id=batch.package_id).exists()):
        raise NotFound("There is no such person or package.")
    inspected = list_batch(town_code, batch)
    if not inspected:
        raise Invalid(f"{first.name} has inspected nothing there that could be looked at again.")
    seed = secrets.randbelow(2**53) if seed is None else seed
    try:
        chosen = draw_sample(inspected, percent, seed)
    except ValueError as error:
        raise Invalid(f"A re-check is a share of 5 to 10 percent, not {percent}.") from error
    package = create_package(
        town_code,
        actor=actor,
        property_ids=chosen,
        title=title or f"Re-check of {first.name}",
        list_year=list_year,
        kind=Package.Kind.RECHECK,
        reason="A second look, without what was entered at the first.",
    )
    recheck = Recheck.objects.create(
        town_id=town_code,
        package=package,
        source_package_id=batch.package_id,
        first_person=first,
        inspected_from=batch.first_on,
        inspected_to=batch.last_on,
        seed=seed,
        percent=percent,
        population=len(inspected),
        drawn_at=timezone.now(),
    )
    RecheckItem.objects.bulk_create(
        RecheckItem(town_id=town_code, recheck=recheck, property_id=key, first_inspection_id=inspected[key])
        for key in chosen
    )
    if device_id or person_id:
        assign_package(package.id, device_id, person_id=person_id, actor=actor)
    return recheck


def compare_recheck(recheck_id: UUID, *, actor: Actor) -> Recheck:
    """Compare what the second person has sent so far; decide when every property has been seen.

    May run again at any time: it starts from the observations, and a re-check that is decided stays as it is.
    """
    recheck = _lock(recheck_id, actor)
    if recheck.state != Recheck.State.OPEN:
        return recheck
    by = agreement_on(timezone.localdate(recheck.drawn_at))
    items = list(recheck.items.order_by("property_id"))
    second = find_second_inspections(recheck)
    for item in items:
        item.second_inspection_id = second.get(item.property_id)
        if item.second_inspection_id is None:
            continue
        compared = compare(entered_by(item.first_inspection_id), entered_by(item.second_inspection_id), by)
        item.fields_compared = len(compared)
        item.fields_agreeing = sum(each.agrees for each in compared)
        item.comparison = [
            {"path": c.path, "first": c.first, "second": c.second, "agrees": c.agrees} for c in compared
        ]
    RecheckItem.objects.bulk_update(
        items, ["second_inspection", "fields_compared", "fields_agreeing", "comparison"]
    )
    recheck.fields_compared = sum(item.fields_compared for item in items)
    recheck.fields_agreeing = sum(item.fields_agreeing for item in items)
    recheck.save(update_fields=["fields_compared", "fields_agreeing"])
    if all(item.second_inspection_id for item in items):
        return _decide(recheck, items, actor=actor)
    return recheck


def decide_recheck(recheck_id: UUID, *, actor: Actor) -> Recheck:
    """Decide with what has been compared so far, though some properties were not seen.

    Raises
    ------
    Conflict
        It is decided already, or nothing has been compared.
    """
    recheck = compare_recheck(recheck_id, actor=actor)
    if recheck.state != Recheck.State.OPEN:
        return recheck
    if not recheck.fields_compared:
        raise Conflict("Nothing has been compared yet.")
    return _decide(recheck, list(recheck.items.order_by("property_id")), actor=actor)


def _decide(recheck: Recheck, items: list[RecheckItem], *, actor: Actor) -> Recheck:
    by = agreement_on(timezone.localdate(recheck.drawn_at))
    percent = agreement_percent(recheck.fields_compared, recheck.fields_agreeing)
    recheck.state, recheck.decided_at = Recheck.State.AGREED, timezone.now()
    if percent is not None and percent < by.needed_percent:
        recheck.state = Recheck.State.SENT_BACK
        recheck.follow_up = _send_back(recheck, items, percent, by.needed_percent, actor=actor)
    recheck.save(update_fields=["state", "decided_at", "follow_up"])
    package = Package.objects.get(id=recheck.package_id)
    if package.state != Package.State.CLOSED:
        close_package(package.id, actor=actor)
    return recheck


def _send_back(
    recheck: Recheck, items: list[RecheckItem], percent: Decimal, needed: Decimal, *, actor: Actor
) -> Package:
    """Put the whole batch into a new package of the first person, with what did not agree."""
    batch = Batch(
        recheck.first_person_id, recheck.source_package_id, recheck.inspected_from, recheck.inspected_to
    )
    wrong = Counter(
        str(each["path"]).rpartition("/")[2]
        for item in items
        for each in item.comparison
        if not each["agrees"]
    )
    words = ", ".join(f"{name} ({count})" for name, count in wrong.most_common(8))
    looked_at = Package.objects.get(id=recheck.package_id)
    package = create_package(
        recheck.town_id,
        actor=actor,
        property_ids=list(list_batch(recheck.town_id, batch)),
        title=f"To be done again: {looked_at.title}",
        list_year=looked_at.list_year,
        kind=Package.Kind.REVALUATION,
        reason=f"A second look at {len(items)} of {recheck.population} properties agreed in {percent} % of"
        f" {recheck.fields_compared} fields, where {needed} % are needed. Not the same: {words}.",
    )
    return assign_package(package.id, person_id=recheck.first_person_id, actor=actor)


def _lock(recheck_id: UUID, actor: Actor) -> Recheck:
    recheck = Recheck.objects.select_for_update(of=("self",)).filter(id=recheck_id).first()
    if recheck is None:
        raise NotFound("There is no such re-check.")
    actor.require(Permission.MANAGE_PACKAGES, recheck.town_id)
    return recheck
