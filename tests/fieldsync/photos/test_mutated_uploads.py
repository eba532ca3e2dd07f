"""Of hundreds of altered photos none is taken; `python -m tests.faults.mutated_uploads` sends 10,000."""

from __future__ import annotations

import httpx
import pytest
from django.core.wsgi import get_wsgi_application

from assessment.property.models import Blob
from assessment.region.scope import scope
from fieldsync.client import Tablet
from tests.cast import SYSTEM, TOWN_A
from tests.faults import mutated_uploads

SEED = 20261123


@pytest.fixture
def straight(tablet: Tablet) -> Tablet:
    """The tablet, calling the application itself and no port: many requests, little time."""
    tablet.transport.http.close()
    tablet.transport.http = httpx.Client(
        transport=httpx.WSGITransport(get_wsgi_application()), base_url="http://testserver"
    )
    return tablet


def test_no_altered_photo_is_taken(straight: Tablet) -> None:
    outcome = mutated_uploads.run(straight.transport, count=300, seed=SEED)
    assert (outcome.taken, outcome.failed) == ([], {})
    assert set(outcome.kinds) == set(mutated_uploads.SENDERS)
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Blob.objects.count() == outcome.whole == 6


def test_a_case_is_the_same_for_the_same_numbers() -> None:
    one, same, other = (mutated_uploads.make_case(n, SEED) for n in (7, 7, 8))
    assert (one.content, one.kind) == (same.content, same.kind)
    assert one.content != other.content
