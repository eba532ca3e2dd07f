"""What can go wrong with the land; codes are listed in docs/problems.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assessment.region.errors import Problem

if TYPE_CHECKING:
    from gis.fabric.report import FabricReport


class UnreadableParcelFile(Problem):
    """The file is missing, damaged, of an unknown format, or its layer cannot be chosen."""

    code, title, status = "parcel-file-unreadable", "The parcel file cannot be read", 422

    def __init__(self, file: str, reason: str, **data: Any) -> None:
        super().__init__(f"{file}: {reason}.", file=file, **data)


class CoordinateSystemMissing(Problem):
    """The file states no coordinate system, and whoever imports states none either."""

    code, title, status = "crs-missing", "The coordinate system is not known", 422


class CoordinateSystemUnknown(Problem):
    """What was stated as a coordinate system is none that places things on the earth."""

    code, title, status = "crs-unknown", "There is no such coordinate system", 422


class WrongPlace(Problem):
    """Most parcels lie outside the town: its coordinates or the town are wrong."""

    code, title, status = "parcels-outside-town", "The parcels do not lie in the town", 422


class IdentifierColumnMissing(Problem):
    """No column can be the parcel identifier, or the one stated is not in the file."""

    code, title, status = (
        "parcel-id-column-missing",
        "The column with the parcel identifier is not known",
        422,
    )


class NoParcels(Problem):
    """The layer has no row that can be a parcel; importing it would empty the town's fabric."""

    code, title, status = "parcel-layer-empty", "No row of the file can be a parcel", 422

    def __init__(self, detail: str, *, report: FabricReport) -> None:
        super().__init__(detail)
        self.report = report


class RowsRefused(Problem):
    """Rows were refused and the import was to stop at any; `report` names them."""

    code, title, status = "parcel-rows-refused", "Rows of the parcel file were refused", 422

    def __init__(self, detail: str, *, report: FabricReport) -> None:
        super().__init__(detail, refused=len(report.refused))
        self.report = report


class FabricShrinks(Problem):
    """The file has less than half of the parcels in force: an excerpt, or a file cut short."""

    code, title, status = "parcel-fabric-shrinks", "The file has far fewer parcels than are in force", 409


class TilesFailed(Problem):
    """The tile archive could not be made."""

    code, title, status = "tiles-failed", "The map tiles could not be made", 500


class QueryInvalid(Problem):
    """A parameter of a request for features is unknown or has no usable value."""

    code, title, status = "query-invalid", "The request's parameters are not valid", 400


class NoUsableArea(Problem):
    """No row of a layer's file has both a code and an area."""

    code, title, status = "layer-empty", "The layer has no usable area", 422
