from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from assessment.demo.loading import KIND
from assessment.property.models import Building, ImportRun, JournalEntry, Owner, Property, Section
from assessment.region.models import Person, Town
from assessment.region.scope import scope
from assessment.sales.models import Transfer
from tests.cast import SYSTEM

TOWNS = (62, 93, 155, 900)


@pytest.fixture
def loaded(db: None) -> str:
    """The small demonstration region, and what its loading printed."""
    out = StringIO()
    call_command("load_demo", "--small", stdout=out)
    return out.getvalue()


def sign_in_file() -> Path:
    return Path(settings.VAR_DIR) / "secrets" / "demo-signin.txt"


@pytest.mark.slow
def test_the_small_region_comes_in_with_everything_marked_that_was_made_up(loaded: str) -> None:
    with scope(SYSTEM, towns=TOWNS):
        by_town = {code: Property.objects.filter(town_id=code).count() for code in TOWNS}
        assert all(number > 350 for number in by_town.values()), by_town
        assert Building.objects.filter(town_id=62, is_synthetic=True).count() > 300
        assert not Building.objects.exclude(town_id=62).filter(is_synthetic=True).exists()
        assert not Building.objects.filter(is_synthetic=False, town_id=62).exclude(style="").exists()
        assert not Owner.objects.filter(is_synthetic=False).exists()
        sketched = Section.objects.values("building_id").distinct().count()
        assert sketched == Building.objects.filter(is_synthetic=True).count()
        assert not Property.objects.filter(ownerships__isnull=True).exists()
        assert Transfer.objects.filter(town_id=62).count() == 1_597
        assert Transfer.objects.filter(property__isnull=False).exists()
    assert Town.objects.get(code=900).is_test
    assert "assessor@hamden.example" in loaded


@pytest.mark.slow
def test_the_sign_in_is_for_the_operator_alone_and_works(loaded: str) -> None:
    assert sign_in_file().stat().st_mode & 0o077 == 0
    lines = [line.split() for line in sign_in_file().read_text().splitlines()]
    assert len(lines) == 22
    email, password = lines[0][:2]
    assert Person.objects.get(email=email).check_password(password)
    assert Person.objects.filter(is_sample=False).count() == 0


@pytest.mark.slow
def test_a_second_load_changes_nothing(loaded: str) -> None:
    before = sign_in_file().read_text()
    with scope(SYSTEM, towns=TOWNS):
        journaled = JournalEntry.objects.count()
        cards = ImportRun.objects.filter(kind="cama").count()
    out = StringIO()
    call_command("load_demo", "--small", "--quiet", stdout=out)
    with scope(SYSTEM, towns=TOWNS):
        assert JournalEntry.objects.count() == journaled
        assert ImportRun.objects.filter(kind="cama").count() == cards
    assert "complete already" in out.getvalue()
    assert sign_in_file().read_text() == before
    assert before.split()[1] not in out.getvalue()


@pytest.mark.slow
def test_a_load_that_was_interrupted_goes_on_where_it_was(loaded: str) -> None:
    """Without the note that all is in, each step looks for itself and finds its work done."""
    with scope(SYSTEM, towns=TOWNS):
        ImportRun.objects.filter(kind=KIND).delete()
        journaled = JournalEntry.objects.count()
    call_command("load_demo", "--small", "--quiet", stdout=StringIO())
    with scope(SYSTEM, towns=TOWNS):
        assert JournalEntry.objects.count() == journaled
        assert ImportRun.objects.filter(kind=KIND).count() == 1


@pytest.mark.slow
def test_a_lost_sign_in_file_is_made_again_with_new_passwords(loaded: str) -> None:
    old = sign_in_file().read_text()
    sign_in_file().unlink()
    call_command("load_demo", "--small", "--quiet", stdout=StringIO())
    new = sign_in_file().read_text()
    email, password = new.split()[:2]
    assert new != old
    assert Person.objects.get(email=email).check_password(password)
