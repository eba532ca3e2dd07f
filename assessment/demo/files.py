"""Where the demonstration's stored files are, and how to get the originals back."""

import gzip
import shutil
import zipfile
from pathlib import Path

DATA = Path(__file__).parent / "data"


def stored(name: str) -> Path:
    """Return the path of a stored (compressed) file, by the name of the original or of the stored file.

    Raises
    ------
    FileNotFoundError
        When the demonstration has no such file.
    """
    for candidate in (DATA / name, DATA / f"{name}.gz", DATA / f"{name}.zip"):
        if candidate.is_file():
            return candidate
    raise FileNotFoundError(f"the demonstration has no file {name}")


def unpack(name: str, folder: Path) -> Path:
    """Write the original bytes of one stored file into ``folder`` and return their path."""
    source = stored(name)
    if source.suffix == ".zip":
        with zipfile.ZipFile(source) as archive:
            (member,) = archive.namelist()
            return Path(archive.extract(member, folder))
    target = folder / source.name.removesuffix(".gz")
    with gzip.open(source, "rb") as compressed, target.open("wb") as out:
        shutil.copyfileobj(compressed, out)
    return target
