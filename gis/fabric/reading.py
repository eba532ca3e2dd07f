"""Read the rows of any OGR vector file (GeoPackage, shapefile, GeoJSON, FlatGeobuf, file geodatabase)."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from gis.errors import UnreadableParcelFile
from gis.fabric.rules.repair import Mask, Shapes

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class RawLayer:
    """A layer as it is in the file, in file order.

    Attributes
    ----------
    crs
        As the file states it (``EPSG:4326`` or WKT), None when it states none.
    cells
        Values by column name.
    shapes
        Two-dimensional shapes in the file's coordinates; None where there is none or it is unreadable.
    unreadable
        True where the file has bytes that are no shape.
    remarks
        What GDAL remarked on while reading.
    """

    name: str
    driver: str
    crs: str | None
    cells: Mapping[str, list[Any]]
    shapes: Shapes
    unreadable: Mask
    remarks: tuple[str, ...] = ()

    @property
    def row_count(self) -> int:
        """Rows in the layer, good and bad."""
        return len(self.shapes)


def file_digest(path: Path) -> str:
    """SHA-256 of a file, or of all files of a folder (a file geodatabase) with their names, in hex."""
    digest = hashlib.sha256()
    for part in _files(path):
        if path.is_dir():
            digest.update(part.relative_to(path).as_posix().encode())
        with part.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
    return digest.hexdigest()


def read_layer(path: Path, *, layer: str | None = None) -> RawLayer:
    """Read one layer of a file.

    Parameters
    ----------
    path
        A file that GDAL knows, also inside a ``.zip``; or a ``.gdb`` folder.
    layer
        Name of the layer; needed only where the file has several with shapes.

    Raises
    ------
    UnreadableParcelFile
        The file is missing, of no known format, damaged, has no such layer, or several to choose from.
    """
    if not path.exists():
        raise UnreadableParcelFile(path.name, "there is no such file")
    name = _choose_layer(path, layer)
    try:
        with warnings.catch_warnings(record=True) as remarks:
            warnings.simplefilter("always")
            driver = str(pyogrio.read_info(path, layer=name)["driver"])
            meta, _, wkb, columns = pyogrio.raw.read(path, layer=name, force_2d=True)
    except UnicodeDecodeError as error:
        raise UnreadableParcelFile(path.name, "its text is in no encoding that it states") from error
    except (DataSourceError, DataLayerError, ValueError) as error:
        raise UnreadableParcelFile(path.name, _first_line(error)) from error
    if wkb is None:
        raise UnreadableParcelFile(path.name, f"layer {name!r} has no shapes")
    shapes = np.asarray(shapely.from_wkb(wkb, on_invalid="ignore"), dtype=object)
    present = np.array([value is not None for value in wkb], dtype=bool)
    return RawLayer(
        name=name,
        driver=driver,
        crs=meta["crs"],
        cells={str(field): _plain(values) for field, values in zip(meta["fields"], columns, strict=True)},
        shapes=shapes,
        unreadable=present & shapely.is_missing(shapes),
        remarks=tuple(dict.fromkeys(str(remark.message) for remark in remarks)),
    )


def _choose_layer(path: Path, wanted: str | None) -> str:
    try:
        layers = [(str(name), kind) for name, kind in pyogrio.list_layers(path)]
    except (DataSourceError, DataLayerError) as error:
        raise UnreadableParcelFile(path.name, "it is of no format known here, or damaged") from error
    named = [name for name, _ in layers]
    if wanted is not None:
        if wanted not in named:
            raise UnreadableParcelFile(path.name, f"it has no layer {wanted!r}, only {', '.join(named)}")
        return wanted
    with_shapes = [name for name, kind in layers if kind is not None]
    if not with_shapes:
        raise UnreadableParcelFile(path.name, "it has no layer with shapes")
    if len(with_shapes) > 1:
        raise UnreadableParcelFile(
            path.name, f"it has several layers, choose one with --layer: {', '.join(with_shapes)}"
        )
    return with_shapes[0]


def _plain(values: Any) -> list[Any]:
    """Cells as plain Python values; dates as ISO text, missing numbers as None."""
    if values.dtype.kind == "M":
        return [None if np.isnat(value) else str(value) for value in values]
    if values.dtype.kind == "f":
        return [None if value != value else value for value in values.tolist()]
    return list(values.tolist())


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from sorted(part for part in path.rglob("*") if part.is_file())
        return
    yield path
    # A shapefile is one layer in several files; its attributes and coordinate system count as well.
    if path.suffix.lower() == ".shp":
        for suffix in (".dbf", ".prj", ".cpg"):
            if (beside := path.with_suffix(suffix)).is_file():
                yield beside


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else type(error).__name__
