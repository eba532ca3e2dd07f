import json
from pathlib import Path

import pyogrio
import pytest

from assessment.demo import files, pack


def test_every_stored_file_is_what_the_manifest_says() -> None:
    assert pack.check() == []


def test_the_demonstration_is_under_twenty_megabytes() -> None:
    assert sum(path.stat().st_size for path in files.DATA.iterdir()) < 20_000_000


def test_the_provenance_names_every_stored_file_and_its_rows() -> None:
    provenance = (files.DATA / "PROVENANCE.md").read_text()
    for entry in json.loads(pack.MANIFEST.read_text()):
        assert f"`{entry['name']}`" in provenance
        assert f"| {entry['rows']:,} |" in provenance


def test_the_97_invalid_rings_survive_packing() -> None:
    frame = pyogrio.read_dataframe(files.stored("west_hartford_parcels.gpkg"))
    assert len(frame) == 19_920
    assert int((~frame.geometry.is_valid).sum()) == 97


def test_packing_again_gives_the_same_originals(tmp_path: Path) -> None:
    originals, out = tmp_path / "originals", tmp_path / "out"
    originals.mkdir()
    out.mkdir()
    for name in pack.SOURCES:
        if name.endswith(".gz"):
            (originals / name).write_bytes(files.stored(name).read_bytes())
        else:
            files.unpack(name, originals)
    packed = {one.name: one for one in pack.pack(originals, out)}
    for entry in json.loads(pack.MANIFEST.read_text()):
        assert packed[entry["name"]].unpacked_sha256 == entry["unpacked_sha256"]


def test_packing_says_which_original_is_missing_and_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"west_hartford_parcels\.gpkg"):
        pack.pack(tmp_path, tmp_path)
    assert list(tmp_path.iterdir()) == []
