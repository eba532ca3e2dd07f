"""Rebuild ``assessment/demo/data`` from a folder that holds the original files.

``python -m assessment.demo.pack FOLDER`` looks for each source below FOLDER at any depth, compresses it
reproducibly (no time stamps), and writes ``manifest.json`` with the size, row count and SHA-256 of the
original and of the packed file. ``python -m assessment.demo.pack --check`` compares what is stored with
the manifest and needs no originals.

What each file is, and under which licence, is told in ``data/PROVENANCE.md``.
"""

import argparse
import csv
import gzip
import hashlib
import io
import json
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyogrio

DATA = Path(__file__).parent / "data"
MANIFEST = DATA / "manifest.json"

SOURCES = (
    "west_hartford_parcels.gpkg",
    "hamden_parcels.gpkg",
    "opm_real_estate_sales.csv.gz",
    "new_haven_cama.csv",
    "new_haven_geocodes.csv",
    "mill_rates_fy2014_2026.csv",
    "grand_lists_2001_2018.csv.gz",
    "towns.geojson",
    "lebanon_nh_vision_export.csv.gz",
    "king_county_sales.csv.gz",
    "lucas_county_oh_sales.csv.gz",
)


@dataclass(frozen=True)
class Packed:
    """One stored file: its name, and what proves that it unpacks to the original."""

    name: str
    unpacks_to: str
    bytes: int
    sha256: str
    unpacked_bytes: int
    unpacked_sha256: str
    rows: int


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _unpack(name: str, stored: bytes) -> tuple[str, bytes]:
    """Return the original's name and bytes."""
    if name.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(stored)) as archive:
            (member,) = archive.namelist()
            return member, archive.read(member)
    return name.removesuffix(".gz"), gzip.decompress(stored)


def _pack(source: Path) -> tuple[str, bytes]:
    """Compress one source; a GeoPackage as ``.gpkg.zip``, which GDAL opens as it is."""
    content = source.read_bytes()
    if source.suffix == ".gz":
        return source.name, content
    if source.suffix == ".gpkg":
        buffer = io.BytesIO()
        member = zipfile.ZipInfo(source.name, (1980, 1, 1, 0, 0, 0))
        member.compress_type = zipfile.ZIP_DEFLATED
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            archive.writestr(member, content)
        return f"{source.name}.zip", buffer.getvalue()
    return f"{source.name}.gz", gzip.compress(content, compresslevel=9, mtime=0)


def _count_rows(path: Path, content: bytes) -> int:
    if path.name.endswith(".gpkg.zip"):
        return int(pyogrio.read_info(path)["features"])
    if path.name.endswith(".geojson.gz"):
        return len(json.loads(content)["features"])
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
    return sum(1 for _ in csv.reader(text)) - 1


def describe(path: Path) -> Packed:
    """Return the manifest entry of one stored file."""
    stored = path.read_bytes()
    original, content = _unpack(path.name, stored)
    return Packed(
        name=path.name,
        unpacks_to=original,
        bytes=len(stored),
        sha256=_sha256(stored),
        unpacked_bytes=len(content),
        unpacked_sha256=_sha256(content),
        rows=_count_rows(path, content),
    )


def pack(folder: Path, out: Path = DATA) -> list[Packed]:
    """Pack every source found below ``folder`` into ``out`` and write the manifest.

    Raises
    ------
    FileNotFoundError
        When a source is missing; nothing is written then.
    """
    found: dict[str, Path] = {}
    for name in SOURCES:
        matches = sorted(folder.rglob(name))
        if not matches:
            raise FileNotFoundError(f"{name} is not below {folder}")
        found[name] = matches[0]
    packed = []
    for source in found.values():
        name, stored = _pack(source)
        (out / name).write_bytes(stored)
        packed.append(describe(out / name))
    (out / MANIFEST.name).write_text(json.dumps([asdict(one) for one in packed], indent=1) + "\n")
    return packed


def check(folder: Path = DATA) -> list[str]:
    """Return one sentence for each stored file that differs from the manifest; empty when all is well."""
    wrong = []
    entries: list[dict[str, Any]] = json.loads((folder / MANIFEST.name).read_text())
    for entry in entries:
        path = folder / entry["name"]
        if not path.is_file():
            wrong.append(f"{entry['name']} is missing")
        elif asdict(describe(path)) != entry:
            wrong.append(f"{entry['name']} is not what the manifest says")
    return wrong


def main(argv: Sequence[str] | None = None) -> int:
    """Run from the command line; exit status 0 only when every file is as it should be."""
    parser = argparse.ArgumentParser(prog="python -m assessment.demo.pack", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="where the original files are")
    parser.add_argument(
        "--check", action="store_true", help="only compare the stored files with the manifest"
    )
    options = parser.parse_args(argv)
    if options.check or options.folder is None:
        wrong = check()
        sys.stdout.write("".join(f"{line}\n" for line in wrong) or "every file is what the manifest says\n")
        return 1 if wrong else 0
    try:
        for one in pack(options.folder):
            sys.stdout.write(f"{one.name}  {one.bytes:,} bytes  {one.rows:,} rows\n")
    except FileNotFoundError as missing:
        sys.stderr.write(f"{missing}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
