"""Values on the card: by list, and as stated."""

from __future__ import annotations

from assessment.office.registries import PageScope
from assessment.office.values import values_panel
from assessment.property.models import Property
from assessment.region.scope import scope
from assessment.roll.models import SnapshotRow
from tests.cast import Cast
from tests.roll.conftest import make_office


def test_a_signed_account_shows_what_was_signed_and_what_was_stated(cast: Cast) -> None:
    with scope(cast.actor(cast.assessor_a), towns=[cast.town_a.code], reason="a test"):
        office = make_office(cast, 12)
        office.sign(office.convert())
        page = PageScope(actor=cast.actor(cast.assessor_a), town=cast.town_a)
        for row in SnapshotRow.objects.all():
            values = values_panel(row.property_id, page)
            shown = values["lists"][0]
            assert (shown.assessed, shown.exempt, shown.net) == (row.gross, row.exempt, row.net)
            assert shown.appraised == sum(line.appraised for line in values["lines"])
            assert sum(part or 0 for part in shown.appraised_by.values()) == shown.appraised
            stated = values["stated"][0]
            assert stated.appraised == shown.appraised


def test_a_property_on_no_list_has_nothing_rather_than_zero(cast: Cast) -> None:
    with scope(cast.actor(cast.assessor_a), towns=[cast.town_a.code], reason="a test"):
        lot = Property.objects.create(town=cast.town_a, account_number="1")
        page = PageScope(actor=cast.actor(cast.assessor_a), town=cast.town_a)
        assert values_panel(lot.id, page) == {"lists": [], "stated": [], "lines": [], "lines_title": ""}
