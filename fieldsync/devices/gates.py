"""What a device must be to be given new work. What it sends is taken whatever it is."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

from fieldsync.devices.models import Device
from fieldsync.devices.rules import is_older
from fieldsync.problems import AppTooOld, EnrolAgain


def require_fit_for_work(request: HttpRequest, device: Device) -> None:
    """Let a device take a package only when its app is new enough and it is no copy.

    Raises
    ------
    AppTooOld
        The header ``App-Version``, or else what the device last said, is below the operator's least version.
    EnrolAgain
        Another tablet seems to use its identity.
    """
    version = request.headers.get("App-Version", "") or device.app_version
    least = settings.FIELD_MIN_APP_VERSION
    if is_older(version, least):
        raise AppTooOld(min_app_version=least)
    if device.copied_at is not None:
        raise EnrolAgain


def notice_of(state: str, wipe: str, *, is_copied: bool) -> dict[str, str]:
    """Return the headers by which every answer tells a device what the office has decided."""
    notice = {"Device-State": state, "Device-Wipe": wipe}
    return {**notice, "Device-Enrol-Again": "?1"} if is_copied else notice
