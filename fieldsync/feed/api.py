"""/packages/{id}/changes: what happened to a package since a cursor."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router

from fieldsync.devices.auth import DeviceBearer, device_scope
from fieldsync.devices.pacing import current_hints
from fieldsync.feed import rules, selectors, services
from fieldsync.feed.patches import spell_groups
from fieldsync.feed.schemas import ChangesOut
from fieldsync.feed.snapshot import one_moment
from fieldsync.packages.models import Package
from fieldsync.packages.selectors import get_package_of_device
from fieldsync.problems import BadCursorToken, EpochChanged, PackageClosed, SnapshotAdvised

router = Router(tags=["feed"], auth=DeviceBearer())

PAGE_MAX = 2000
_GZIP_FROM_BYTES = 1024
_GZIP_LEVEL = 4


@router.get("/packages/{package_id}/changes", response=ChangesOut, operation_id="list_changes")
def list_changes(
    request: HttpRequest, package_id: UUID, cursor: str, limit: int = 500, patches: bool = False
) -> HttpResponse:
    """Return the changes behind a cursor, the oldest number first.

    A record that changes while pages are read comes again on a later page. A client applies all pages at
    once, after the last, and compares the checksum with that of its own rows. With ``patches``, records of
    which only some fields changed come by those fields. 410 ``snapshot-advised`` when the package as built,
    and what came after, costs less than all that is behind the cursor.
    """
    try:
        place = rules.Cursor.read(cursor)
    except rules.BadCursor as error:
        raise BadCursorToken from error
    with one_moment(), device_scope(request) as device:
        package = get_package_of_device(package_id, device.id)
        if package.state == Package.State.CLOSED:
            raise PackageClosed
        if place.package_id != package_id:
            raise BadCursorToken
        epoch = selectors.find_epoch(package.town_id)
        if epoch is None or place.epoch != epoch or place.seq > selectors.get_head(package_id):
            raise EpochChanged
        _advise_snapshot(package, place.seq, epoch)
        size = max(1, min(limit, PAGE_MAX))
        page = selectors.read_page(package, after=place.seq, limit=size, as_patches=patches)
    if page.hashes:
        with device_scope(request):
            services.keep_hashes(page.hashes)
    body: dict[str, Any] = {
        "next_cursor": rules.Cursor(epoch, package_id, page.last).token(),
        "has_more": page.has_more,
        "head_seq": page.head,
        "checksum": None,
        "server_time": timezone.now().isoformat(),
        "hints": current_hints(),
    }
    if page.checksum is not None:
        value = rules.spell_checksum(page.checksum)
        body["checksum"] = {"algo": rules.CHECKSUM_ALGORITHM, "records": page.records, "value": value}
    if page.patches:
        body["patches"] = spell_groups("card", page.patches)
    return _json(request, body, page.changes)


def _advise_snapshot(package: Package, after: int, epoch: UUID) -> None:
    snapshot = selectors.find_snapshot(package)
    if snapshot is None or snapshot.head <= after or (package.manifest or {}).get("epoch") != str(epoch):
        return
    behind = selectors.count_behind(package.id, after)
    since = selectors.count_behind(package.id, snapshot.head)
    if rules.is_snapshot_cheaper(behind, since, snapshot):
        raise SnapshotAdvised(manifest=f"/api/field/v1/packages/{package.id}/manifest")


def _spell(change: selectors.Change) -> str:
    """Return a change as JSON. The card's own text goes in as it is: it was hashed so."""
    head = f'{{"seq":{change.seq},"op":"{change.op}","kind":"{change.kind}","id":"{change.record_id}"'
    return (
        f'{head},"data":{change.text}}}'
        if change.text is not None
        else f'{head},"reason":{json.dumps(change.reason)}}}'
    )


def _json(request: HttpRequest, body: dict[str, Any], changes: Sequence[selectors.Change]) -> HttpResponse:
    """Return JSON, gzipped for clients that take it: a page of cards shrinks to a thirtieth."""
    facts = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    content = f'{facts[:-1]},"changes":[{",".join(map(_spell, changes))}]}}'.encode()
    response = HttpResponse(content_type="application/json")
    if len(content) >= _GZIP_FROM_BYTES and "gzip" in request.headers.get("Accept-Encoding", ""):
        content = gzip.compress(content, _GZIP_LEVEL, mtime=0)
        response["Content-Encoding"] = "gzip"
    response["Vary"] = "Accept-Encoding"
    response.content = content
    return response
