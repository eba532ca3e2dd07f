"""Jobs that the grand list page starts: export, M-13, signing and verifying."""

from __future__ import annotations

import mimetypes
import tempfile
from pathlib import Path
from typing import Any
from uuid import UUID

from django.utils import timezone

from assessment.jobs.registry import RunningJob, job_handler
from assessment.property.blobs import store_blob
from assessment.region.errors import NotFound
from assessment.region.rules import Permission
from assessment.region.scope import scope
from assessment.roll.models import GrandList
from assessment.roll.services.abstracts import export_m13
from assessment.roll.services.exporting import export_grand_list
from assessment.roll.services.signing import sign_grand_list
from assessment.roll.services.verifying import paper_from_root, verify_grand_list

EXPORT, EXPORT_ALL, M13, SIGN, VERIFY = (
    "office.export_list",
    "office.export_list_unsuppressed",
    "office.export_m13",
    "office.sign_list",
    "office.verify_list",
)


def _get_list(job: RunningJob) -> GrandList:
    found = GrandList.objects.filter(town_id=job.town_code, id=UUID(job.payload["grand_list_id"])).first()
    if found is None:
        raise NotFound("There is no such list.")
    return found


def _keep_files(folder: Path, town_code: int) -> list[dict[str, Any]]:
    """Store what was written, so that the jobs page can hand it over."""
    kept = []
    for path in sorted(folder.iterdir()):
        media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        with path.open("rb") as file:
            blob = store_blob(file, town_code=town_code, media_type=media_type)
        kept.append({"name": path.name, "sha256": blob.sha256, "byte_count": blob.byte_count})
    return kept


def _export(job: RunningJob) -> dict[str, Any]:
    with scope(job.actor, towns=[job.town_code]), tempfile.TemporaryDirectory() as folder:
        report = export_grand_list(
            _get_list(job),
            actor=job.actor,
            folder=Path(folder),
            on=timezone.localdate(),
            profile=job.payload["profile"],
            basis=job.payload["basis"],
        )
        exported = report.control["exported"]
        return {
            "profile": job.payload["profile"],
            "basis": report.control["basis"],
            "accounts": exported["accounts"],
            "net": exported["net_after"],
            "files": _keep_files(Path(folder), job.town_code),
        }


@job_handler(EXPORT, title="Export of a grand list", permission=Permission.EXPORT_LIST)
def export_list(job: RunningJob) -> dict[str, Any]:
    """Write a signed list with protected owners suppressed."""
    return _export(job)


@job_handler(EXPORT_ALL, title="Export for the tax collector", permission=Permission.VIEW_CONFIDENTIAL)
def export_list_unsuppressed(job: RunningJob) -> dict[str, Any]:
    """Write a signed list with everything; only those who may see protected owners fetch the files."""
    return _export(job)


@job_handler(M13, title="M-13 and M-13a", permission=Permission.EXPORT_LIST)
def export_abstract(job: RunningJob) -> dict[str, Any]:
    """Write the M-13 with its bridge."""
    with scope(job.actor, towns=[job.town_code]), tempfile.TemporaryDirectory() as folder:
        made, _ = export_m13(_get_list(job), actor=job.actor, folder=Path(folder))
        return {
            "net_as_signed": made.bridge.signed.net,
            "net_after_the_board": made.bridge.after.net,
            "files": _keep_files(Path(folder), job.town_code),
        }


@job_handler(SIGN, title="Signing of a grand list", permission=Permission.SIGN_LIST)
def sign_list(job: RunningJob) -> dict[str, Any]:
    """Sign the list as the person who asked for it; done a second time it finds the list signed."""
    with scope(job.actor, towns=[job.town_code], reason="signing of the grand list"):
        grand_list = _get_list(job)
        if grand_list.is_signed:
            return {"outcome": "the list is signed already"}
        certification = sign_grand_list(grand_list, actor=job.actor).certification
        return {
            "root": certification.root,
            "accounts": certification.accounts,
            "net": certification.net,
            "files": [{"name": "certification.pdf", "sha256": certification.pdf_sha256}],
        }


@job_handler(VERIFY, title="Verification of a grand list", permission=Permission.VIEW)
def verify_list(job: RunningJob) -> dict[str, Any]:
    """Recompute the chain and compare it with the certifications, and with a root read from paper if given."""
    root = job.payload.get("root", "")
    with scope(job.actor, towns=[job.town_code]):
        paper = paper_from_root(root) if root else None
        report = verify_grand_list(_get_list(job), actor=job.actor, paper=paper)
    answer: dict[str, Any] = {
        "outcome": "intact" if not report.breaks else f"{len(report.breaks)} breaks found",
        "root": report.root,
    }
    return answer | {
        f"break_{place}": f"{each.where}: {each.what}" for place, each in enumerate(report.breaks, 1)
    }
