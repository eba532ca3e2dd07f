"""Reading what reviewers in the field said."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from fieldsync.review.models import ReviewAnswer


def list_answers(town_code: int, *, package_id: UUID | None = None) -> QuerySet[ReviewAnswer]:
    """Return answers of a town, or of one package, the newest first; the caller pages them."""
    rows = ReviewAnswer.objects.filter(town_id=town_code).select_related("property", "answered_by")
    if package_id is not None:
        rows = rows.filter(package_id=package_id)
    return rows.order_by("-received_at", "-id")
