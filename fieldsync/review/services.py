"""Keeping what reviewers in the field said of proposed values."""

from __future__ import annotations

from collections.abc import Sequence

from assessment.property.models import Property
from assessment.region.actors import Actor
from assessment.region.rules import Permission
from fieldsync.packages.models import Package
from fieldsync.review.models import ReviewAnswer


def keep_answers(answers: Sequence[ReviewAnswer], *, actor: Actor) -> list[str]:
    """Keep answers and say of each ``applied``, ``noop`` (known already) or ``property-unknown``.

    The answers' ids are the tablets'. A package that is not the town's is left out of the answer.

    Raises
    ------
    Forbidden
        Who answers may not inspect in the town.
    """
    for town_code in sorted({answer.town_id for answer in answers}):
        actor.require(Permission.INSPECT, town_code)
    ids = [answer.id for answer in answers]
    known = set(ReviewAnswer.objects.filter(id__in=ids).values_list("id", flat=True))
    properties = set(
        Property.objects.filter(id__in=[each.property_id for each in answers]).values_list("id", flat=True)
    )
    packages = set(
        Package.objects.filter(id__in=[each.package_id for each in answers]).values_list("id", flat=True)
    )
    said, fresh = [], []
    for answer in answers:
        if answer.property_id not in properties:
            said.append("property-unknown")
        elif answer.id in known:
            said.append("noop")
        else:
            if answer.package_id not in packages:
                answer.package_id = None
            known.add(answer.id)
            fresh.append(answer)
            said.append("applied")
    ReviewAnswer.objects.bulk_create(fresh, ignore_conflicts=True)
    return said
