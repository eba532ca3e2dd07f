"""Loading the demonstration region through the product's own import commands.

The commands are called by name: parcels belong to an app that stands above this one.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from django.core.management import call_command, get_commands
from django.utils import timezone

from assessment.demo import tables
from assessment.demo.files import stored
from assessment.demo.ownership import give_invented_owners
from assessment.demo.people import add_people
from assessment.demo.sketching import draw_sketches
from assessment.property.models import ImportRun
from assessment.property.services import install_standard_codes
from assessment.property.services.sketch import section_factors
from assessment.region.actors import Actor
from assessment.region.models import Town
from assessment.region.scope import scope
from assessment.region.selectors import get_town
from assessment.region.services import create_test_town

LEBANON_CODE = 900
SMALL = 400
KIND = "demonstration"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Region:
    """The towns of the demonstration."""

    hamden: Town
    west_hartford: Town
    new_haven: Town
    lebanon: Town

    @property
    def all(self) -> list[Town]:
        """The towns, in the order in which they are loaded."""
        return [self.hamden, self.west_hartford, self.new_haven, self.lebanon]


def make_region(actor: Actor) -> Region:
    """Return the demonstration's towns; the test town outside Connecticut is made when it is not there."""
    return Region(
        hamden=get_town("hamden"),
        west_hartford=get_town("west-hartford"),
        new_haven=get_town("new-haven"),
        lebanon=create_test_town(LEBANON_CODE, actor=actor, name="Lebanon NH", state="NH"),
    )


def content_digest() -> str:
    """Return a digest of everything that the demonstration is made from: stored files, mappings and code."""
    folder = Path(__file__).parent
    digest = hashlib.sha256((folder / "data" / "manifest.json").read_bytes())
    for path in sorted([*folder.glob("*.py"), *folder.glob("rules/*.py"), *folder.glob("mappings/*.toml")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()


class Loader:
    """Loads the region step by step; a step whose files are in already is passed over.

    Parameters
    ----------
    say
        Told one line for each step.
    is_small
        Only the first 400 parcels and cards of each town.
    """

    def __init__(self, *, actor: Actor, say: Say, sign_in_file: Path, is_small: bool = False) -> None:
        self.actor = actor
        self.say = say
        self.sign_in_file = sign_in_file
        self.limit = SMALL if is_small else None

    def load(self) -> int:
        """Load everything that is not in yet; return how many steps did something.

        A region that was loaded whole, from the same files by the same code, is not looked through again.
        People come last: who finds people there knows that the rest is complete.
        """
        region = make_region(self.actor)
        digest = f"{content_digest()}{'-small' if self.limit else ''}"[-64:]
        if self.sign_in_file.is_file() and self._was_loaded(region.hamden, digest):
            return 0
        with tempfile.TemporaryDirectory(prefix="grandlist-demo-") as name:
            folder = Path(name)
            done = [
                self._standard_codes(region),
                self._parcels(region.hamden, "hamden_parcels.gpkg", folder),
                self._parcels(region.west_hartford, "west_hartford_parcels.gpkg", folder),
                self._hamden(region.hamden, folder),
                self._west_hartford(region.west_hartford, folder),
                self._cards(region.new_haven, "new_haven_cama.csv", folder, list_year=2016),
                self._points(region.new_haven, "new_haven_geocodes.csv", folder),
                self._cards(region.lebanon, "lebanon_nh_vision_export.csv", folder, list_year=2023),
                *[self._owners(town) for town in region.all],
                self._sales([region.hamden, region.west_hartford, region.new_haven]),
                self._people(region),
            ]
        self._note_load(region.hamden, digest)
        return sum(done)

    def _was_loaded(self, town: Town, digest: str) -> bool:
        with scope(self.actor, towns=[town.code], reason="looking for an earlier load"):
            return ImportRun.objects.filter(town=town, kind=KIND, file_sha256=digest).exists()

    def _note_load(self, town: Town, digest: str) -> None:
        with scope(self.actor, towns=[town.code], reason="demonstration loaded"):
            now = timezone.now()
            ImportRun.objects.create(
                town=town, kind=KIND, file_name="demonstration", file_sha256=digest, started_at=now,
                finished_at=now,
            )  # fmt: skip

    @contextmanager
    def _step(self, text: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.say(f"  {text} ({time.monotonic() - began:.1f} s)")

    def _is_in(self, kind: str, town: Town, path: Path) -> bool:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        with scope(self.actor, towns=[town.code], reason="looking for an earlier load"):
            return ImportRun.objects.filter(
                town=town, kind=kind, file_sha256=digest, is_dry_run=False, finished_at__isnull=False
            ).exists()

    def _standard_codes(self, region: Region) -> bool:
        added = 0
        for town in region.all:
            with scope(self.actor, towns=[town.code], reason="standard codes"):
                added += install_standard_codes(town, actor=self.actor)
        if added:
            self.say(f"  {added:,} standard codes")
        return added > 0

    def _parcels(self, town: Town, name: str, folder: Path) -> bool:
        path = tables.parcels_file(name, folder, limit=self.limit)
        if self.limit is None and self._is_in("parcels", town, path):
            return False
        with self._step(f"{town.name}: parcels"):
            call_command("import_parcels", path, "--town", str(town.code), stdout=StringIO())
        return True

    def _hamden(self, town: Town, folder: Path) -> bool:
        with scope(self.actor, towns=[town.code], reason="section table"):
            factors = section_factors(town.code)
        cards = tables.hamden_cards(folder, limit=self.limit, factors=factors)
        is_new = self._import_cards(town, cards.table, cards.mapping, list_year=2022)
        with self._counted(f"{town.name}: sketches") as count:
            count.append(draw_sketches(town, actor=self.actor, sketches=cards.sketches))
        return is_new or count[0] > 0

    def _west_hartford(self, town: Town, folder: Path) -> bool:
        cards = tables.west_hartford_cards(folder, limit=self.limit)
        return self._import_cards(town, cards.table, cards.mapping, list_year=2021)

    def _cards(self, town: Town, name: str, folder: Path, *, list_year: int) -> bool:
        path = tables.table_file(name, folder, limit=self.limit)
        return self._import_cards(town, path, None, list_year=list_year)

    def _import_cards(self, town: Town, path: Path, mapping: Path | None, *, list_year: int) -> bool:
        if self._is_in("cama", town, path):
            return False
        options = ["--mapping", str(mapping)] if mapping else []
        with self._step(f"{town.name}: record cards"):
            call_command(
                "import_cama", path, "--town", str(town.code), "--list-year", str(list_year), *options,
                stdout=StringIO(),
            )  # fmt: skip
        return True

    def _points(self, town: Town, name: str, folder: Path) -> bool:
        if "import_points" not in get_commands():
            return False
        path = tables.table_file(name, folder, limit=None)
        if self._is_in("points", town, path):
            return False
        with self._step(f"{town.name}: points"):
            call_command("import_points", path, "--town", str(town.code), stdout=StringIO())
        return True

    def _owners(self, town: Town) -> bool:
        with self._counted(f"{town.name}: invented owners") as count:
            count.append(give_invented_owners(town, actor=self.actor))
        return count[0] > 0

    def _sales(self, towns: list[Town]) -> bool:
        path = stored("opm_real_estate_sales.csv")
        if all(self._is_in("sales", town, path) for town in towns):
            return False
        wanted = [argument for town in towns for argument in ("--town", str(town.code))]
        with self._step("sales of the state's file"):
            call_command("import_sales", path, *wanted, stdout=StringIO())
        return True

    def _people(self, region: Region) -> bool:
        with self._counted("sample people") as count:
            count.append(add_people(region.all, actor=self.actor, sign_in_file=self.sign_in_file))
        return count[0] > 0

    @contextmanager
    def _counted(self, text: str) -> Iterator[list[int]]:
        began = time.monotonic()
        count: list[int] = []
        yield count
        if count[0]:
            self.say(f"  {text}: {count[0]:,} ({time.monotonic() - began:.1f} s)")
