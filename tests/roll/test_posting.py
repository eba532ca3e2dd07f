import datetime as dt

import pytest
from django.db import Error, transaction

from assessment.property.models import Property
from assessment.roll.errors import (
    GeneralRevaluationRefused,
    ListSigned,
    ReasonRequired,
    UnknownRollCode,
    WrongSchedules,
)
from assessment.roll.models import Assessment, AssessmentLine, ChangeReason, GrandList
from assessment.roll.selectors import get_totals
from assessment.roll.services.exemptions import set_exempt_code, set_exemption
from assessment.roll.services.opening import open_grand_list
from assessment.roll.services.posting import (
    PostedLine,
    Posting,
    Reason,
    post_assessment_lines,
    post_assessments,
)
from tests.roll.building import valued
from tests.roll.conftest import Office

PERMIT = Reason("permit", dt.date(2025, 6, 1), "garage, permit 25-117")
LINES = [PostedLine("11", 60_000), PostedLine("13", 240_000)]


@pytest.fixture
def interim(office: Office, signed: GrandList) -> GrandList:
    return open_grand_list(office.town, actor=office.assessor, year=2025, basis="roll_forward").grand_list


def test_an_interim_change_with_a_dated_reason_is_kept_with_both_amounts(office: Office, interim: GrandList):
    before = get_totals(interim)["gross"]
    account = post_assessment_lines(
        interim, actor=office.deputy, subject=office.property(0), lines=LINES, reason=PERMIT
    )
    kept = ChangeReason.objects.get(assessment=account)
    assert (kept.kind, kept.dated_on, kept.gross_after) == ("permit", dt.date(2025, 6, 1), 210_000)
    assert get_totals(interim)["gross"] == before - kept.gross_before + 210_000


def test_an_interim_change_without_a_reason_is_refused_and_changes_nothing(
    office: Office, interim: GrandList
):
    before = get_totals(interim)
    with pytest.raises(ReasonRequired, match="dated reason"):
        post_assessment_lines(
            interim, actor=office.assessor, subject=office.property(0), lines=LINES, reason=None
        )
    assert get_totals(interim) == before


def test_a_general_revaluation_of_an_interim_list_is_refused(office: Office, interim: GrandList):
    reason = Reason("revaluation", dt.date(2025, 10, 1))
    postings = [Posting(item.property_id, item.lines, reason) for item in valued(office.sample)]
    with pytest.raises(GeneralRevaluationRefused):
        post_assessments(interim, actor=office.assessor, postings=postings)


def test_an_interim_value_at_other_schedules_than_the_base_revaluations_is_refused(
    office: Office, interim: GrandList
):
    with pytest.raises(WrongSchedules):
        post_assessment_lines(
            interim, actor=office.assessor, subject=office.property(0), lines=LINES, reason=PERMIT,
            schedules_of=dt.date(2025, 10, 1),
        )  # fmt: skip


def test_the_same_posting_twice_changes_nothing_the_second_time(office: Office, interim: GrandList):
    posting = [Posting(office.sample.ids[0], tuple(LINES), PERMIT)]
    first = post_assessments(interim, actor=office.assessor, postings=posting)
    second = post_assessments(interim, actor=office.assessor, postings=posting)
    assert (first.changed, second.changed, second.unchanged) == (1, 0, 1)
    assert ChangeReason.objects.count() == 1


def test_a_posting_that_changes_nothing_needs_no_reason(office: Office, interim: GrandList):
    account = Assessment.objects.get(grand_list=interim, property_id=office.sample.ids[0])
    same = tuple(
        PostedLine(line.detail_code, line.appraised, line.assessed, line.quantity, line.unit)
        for line in account.lines.order_by("line_number")
    )
    report = post_assessments(interim, actor=office.assessor, postings=[Posting(office.sample.ids[0], same)])
    assert report.unchanged == 1


def test_a_property_made_by_a_split_is_added_with_its_reason(office: Office, interim: GrandList):
    lot = Property.objects.create(town=office.town, account_number="000099", state_class="100")
    reason = Reason("split", dt.date(2025, 8, 1), "lot 2 of 000001")
    report = post_assessments(
        interim, actor=office.assessor, postings=[Posting(lot.pk, (PostedLine("51", 90_000),), reason)]
    )
    assert report.added == 1
    assert get_totals(interim)["accounts"] == 13


def test_a_revaluation_needs_no_reasons_and_may_be_run_twice(office: Office, signed: GrandList):
    opened = open_grand_list(office.town, actor=office.assessor, year=2025, basis="revaluation").grand_list
    report = post_assessments(opened, actor=office.assessor, postings=valued(office.sample))
    again = post_assessments(opened, actor=office.assessor, postings=valued(office.sample))
    assert (report.changed, again.unchanged) == (12, 12)
    assert get_totals(opened)["gross"] == report.gross_after


def test_an_unknown_detail_code_is_refused(office: Office, interim: GrandList):
    with pytest.raises(UnknownRollCode, match="99"):
        post_assessment_lines(
            interim,
            actor=office.assessor,
            subject=office.property(0),
            lines=[PostedLine("99", 1)],
            reason=PERMIT,
        )


def test_an_exemption_stops_at_the_gross(office: Office, interim: GrandList):
    before = get_totals(interim)
    gross = sum(
        AssessmentLine.objects.filter(
            assessment__grand_list=interim, assessment__property_id=office.sample.ids[0]
        ).values_list("assessed", flat=True)
    )
    set_exemption(
        interim, actor=office.assessor, subject=office.property(0), code="RENEWABLE", amount=gross + 5_000,
        reason=Reason("exemption", dt.date(2025, 9, 1)),
    )  # fmt: skip
    assert get_totals(interim)["net"] == before["net"] - gross


def test_an_account_becomes_exempt_and_taxable_again_for_a_dated_reason(office: Office, interim: GrandList):
    before = get_totals(interim)
    arguments = {"actor": office.assessor, "subject": office.property(0)}
    reason = Reason("exemption", dt.date(2025, 9, 1))
    account = set_exempt_code(interim, exempt_code="DEAX", reason=reason, **arguments)
    exempt = get_totals(interim)["exempt"] - before["exempt"]
    assert exempt == sum(account.lines.values_list("assessed", flat=True))
    set_exempt_code(interim, exempt_code="", reason=reason, **arguments)
    assert get_totals(interim) == before
    with pytest.raises(UnknownRollCode):
        set_exempt_code(interim, exempt_code="ZZZX", reason=reason, **arguments)


def test_converted_exempt_property_needs_detail_codes_before_it_is_taxed(office: Office, interim: GrandList):
    with pytest.raises(UnknownRollCode, match="HAAX"):
        set_exempt_code(
            interim, actor=office.assessor, subject=office.property(5), exempt_code="",
            reason=Reason("correction", dt.date(2025, 9, 1)),
        )  # fmt: skip


def test_a_signed_list_takes_no_more_values(office: Office, signed: GrandList):
    with pytest.raises(ListSigned):
        post_assessment_lines(
            signed, actor=office.assessor, subject=office.property(0), lines=LINES, reason=PERMIT
        )


@pytest.mark.parametrize("table", ["assessment_assessmentline", "assessment_assessment"])
def test_not_even_plain_sql_changes_an_account_of_a_signed_list(
    office: Office, signed: GrandList, table: str
):
    from django.db import connection

    column = {"assessment_assessmentline": "assessed", "assessment_assessment": "owner"}[table]
    with pytest.raises(Error, match="signed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {column} = {column}")
