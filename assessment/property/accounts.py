"""Account numbers: business numbers, given by the server."""

from __future__ import annotations

from django.db import connection
from django.db.models import BigIntegerField, Max
from django.db.models.functions import Cast

from assessment.property.models import Property


def next_account_number(town_code: int, kind: str = Property.Kind.REAL) -> int:
    """Return the number after the highest of the town's numeric account numbers.

    Whoever calls this holds the town's import lock or the unique constraint's verdict: two callers at once
    get the same number, and the database refuses the second.
    """
    highest = (
        Property.objects.filter(town_id=town_code, kind=kind, account_number__regex=r"^\d{1,15}$")
        .annotate(number=Cast("account_number", BigIntegerField()))
        .aggregate(highest=Max("number"))["highest"]
    )
    return int(highest or 0) + 1


def hold_import_lock(town_code: int) -> None:
    """Wait until no other import of the town is running, and keep others out until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('grandlist.import'), %s)", [town_code])
