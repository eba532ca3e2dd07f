"""Two who write to one list at once, with real transactions in two threads."""

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connections

from assessment.region.errors import Problem
from assessment.region.scope import scope
from assessment.roll.errors import ListSigned
from assessment.roll.models import Certification, GrandList, Instrument, SnapshotRow
from assessment.roll.selectors import get_certification
from assessment.roll.services.instruments import issue_instrument
from assessment.roll.services.opening import open_grand_list
from assessment.roll.services.posting import PostedLine, Posting, Reason, post_assessments
from assessment.roll.services.signing import sign_grand_list
from assessment.roll.services.standings import Change
from assessment.roll.services.verifying import verify_grand_list
from tests.roll.conftest import CommittedOffice


def at_once(committed: CommittedOffice, *works: Callable[[], object]) -> list[object]:
    """Run works together, each in a thread and a transaction of its own; give results or problems."""
    barrier = Barrier(len(works))

    def run(work: Callable[[], object]) -> object:
        try:
            barrier.wait(timeout=30)
            with scope(committed.office.assessor, towns=[62], reason="a test"):
                return work()
        except Problem as problem:
            return problem
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def interim(committed: CommittedOffice) -> GrandList:
    with scope(committed.office.assessor, towns=[62], reason="a test"):
        return open_grand_list(
            committed.office.town, actor=committed.office.assessor, year=2025, basis="roll_forward"
        ).grand_list


def test_of_two_who_sign_at_once_one_signs(committed: CommittedOffice):
    opened = interim(committed)
    results = at_once(
        committed, *[lambda: sign_grand_list(opened, actor=committed.office.assessor) for _ in range(2)]
    )
    assert sum(isinstance(result, ListSigned) for result in results) == 1
    with scope(committed.office.assessor, towns=[62]):
        assert Certification.objects.filter(grand_list=opened).count() == 1
        assert SnapshotRow.objects.filter(grand_list=opened).count() == 40
        assert verify_grand_list(opened, actor=committed.office.assessor).intact


def test_a_value_posted_while_the_list_is_signed_is_in_it_whole_or_refused(committed: CommittedOffice):
    opened = interim(committed)
    posting = Posting(
        committed.office.sample.ids[0],
        (PostedLine("13", 1_000_000),),
        Reason("correction", dt.date(2025, 6, 1)),
    )
    posted, _ = at_once(
        committed,
        lambda: post_assessments(opened, actor=committed.office.assessor, postings=[posting]),
        lambda: sign_grand_list(opened, actor=committed.office.assessor),
    )
    with scope(committed.office.assessor, towns=[62]):
        row = SnapshotRow.objects.get(grand_list=opened, property_id=posting.property_id)
        assert (row.gross == 700_000) is not isinstance(posted, ListSigned)
        total = sum(SnapshotRow.objects.filter(grand_list=opened).values_list("gross", flat=True))
        assert get_certification(opened).gross == total


def test_instruments_issued_at_once_get_a_number_each(committed: CommittedOffice):
    def issue(place: int) -> Callable[[], object]:
        return lambda: issue_instrument(
            committed.grand_list, actor=committed.office.assessor, kind="correction",
            subject=committed.office.property(place), changes=[Change("assessed", "13", -10)],
            dated_on=dt.date(2025, 3, 1), explanation="a test",
        )  # fmt: skip

    at_once(committed, *[issue(place) for place in range(4)])
    with scope(committed.office.assessor, towns=[62]):
        numbers = sorted(Instrument.objects.values_list("number", flat=True))
    assert numbers == [f"C-2024-{place:04d}" for place in range(1, 5)]
