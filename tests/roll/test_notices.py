import datetime as dt

import pytest

from assessment.region.errors import Invalid
from assessment.roll.models import GrandList, Notice
from assessment.roll.services.notices import issue_notices, record_mailing
from assessment.roll.services.opening import open_grand_list
from assessment.roll.services.posting import PostedLine, Reason, post_assessment_lines, post_assessments
from tests.roll.building import valued
from tests.roll.conftest import Office

DAY = dt.date(2025, 11, 15)


def test_on_an_interim_list_only_who_rose_is_told_both_amounts(office: Office, signed: GrandList):
    interim = open_grand_list(office.town, actor=office.assessor, year=2025, basis="roll_forward").grand_list
    for place, appraised in ((0, 9_000_000), (1, 10_000)):
        post_assessment_lines(
            interim, actor=office.assessor, subject=office.property(place),
            lines=[PostedLine("13", appraised)], reason=Reason("correction", dt.date(2025, 6, 1)),
        )  # fmt: skip
    assert issue_notices(interim, actor=office.assessor, dated_on=DAY) == 1
    notice = Notice.objects.get()
    assert notice.gross_after == 6_300_000
    assert 0 < notice.gross_before < notice.gross_after


def test_at_a_revaluation_everybody_is_told_once(office: Office, signed: GrandList):
    opened = open_grand_list(office.town, actor=office.assessor, year=2025, basis="revaluation").grand_list
    post_assessments(opened, actor=office.assessor, postings=valued(office.sample))
    assert issue_notices(opened, actor=office.assessor, dated_on=DAY) == 12
    assert issue_notices(opened, actor=office.assessor, dated_on=DAY + dt.timedelta(days=1)) == 0
    assert set(Notice.objects.values_list("kind", flat=True)) == {"revaluation"}
    assert record_mailing(opened, actor=office.assessor, mailed_on=DAY) == 12
    assert record_mailing(opened, actor=office.assessor, mailed_on=DAY) == 0


def test_a_first_list_has_nothing_to_compare_with(office: Office, signed: GrandList):
    with pytest.raises(Invalid, match="before this one"):
        issue_notices(signed, actor=office.assessor, dated_on=DAY)
    interim = open_grand_list(office.town, actor=office.assessor, year=2025, basis="roll_forward").grand_list
    with pytest.raises(Invalid, match="assessment date"):
        issue_notices(interim, actor=office.assessor, dated_on=dt.date(2025, 9, 30))
