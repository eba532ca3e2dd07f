"""The list of what is in a backup, and the check that it all still is."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from assessment.project.backup.errors import BackupDamaged
from assessment.project.backup.survey import Survey, TableSurvey

FORMAT = 1
FILE = "manifest.json"
DUMP = "database.dump"
KEYS = "keys.age"


@dataclass(frozen=True)
class Manifest:
    """What one backup holds.

    Attributes
    ----------
    files
        SHA-256 by path inside the folder, of every file but this one.
    keys
        Names of the encrypted keys; empty when they were left out on purpose.
    missing_blobs
        Hashes that a row names and the store did not have when the backup was made.
    """

    made_at: str
    postgres: str
    survey: Survey
    files: dict[str, str]
    keys: list[str] = field(default_factory=list)
    missing_blobs: list[str] = field(default_factory=list)
    format: int = FORMAT

    def write(self, folder: Path) -> None:
        """Write it, last of all files."""
        (folder / FILE).write_text(json.dumps(asdict(self), indent=1, sort_keys=True))


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a backup.

    Raises
    ------
    BackupDamaged
        There is none, or it cannot be read: the backup was never finished, or is not one.
    """
    try:
        stated = json.loads((folder / FILE).read_text())
        if stated["format"] != FORMAT:
            raise BackupDamaged(
                f"{folder} is a backup of format {stated['format']}; this version reads {FORMAT}."
            )
        survey = Survey(
            tables={name: TableSurvey(**table) for name, table in stated["survey"]["tables"].items()},
            structure=stated["survey"]["structure"],
        )
        return Manifest(**{**stated, "survey": survey})
    except FileNotFoundError:
        raise BackupDamaged(f"{folder} holds no finished backup: there is no {FILE}.") from None
    except (ValueError, KeyError, TypeError) as trouble:
        raise BackupDamaged(f"{folder / FILE} cannot be read.") from trouble


def check_files(folder: Path, manifest: Manifest) -> None:
    """Compare every file with its hash.

    Raises
    ------
    BackupDamaged
        Naming the first files that are missing or altered.
    """
    bad = [
        name
        for name, sha256 in manifest.files.items()
        if not (folder / name).is_file() or sha256_of(folder / name) != sha256
    ]
    if bad:
        raise BackupDamaged(
            f"{len(bad)} of {len(manifest.files)} files of the backup are missing or altered: {', '.join(bad[:5])}",
            files=bad[:100],
        )


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
