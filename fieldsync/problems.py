"""Everything that a tablet may be told went wrong, with what it should do about it (``retry``)."""

import math
from typing import Any, ClassVar

from assessment.region.errors import Problem


class FieldProblem(Problem):
    """A problem with the member ``retry``: ``never now after split reauth refresh-manifest resume``.

    ``after`` comes with the header ``Retry-After``.
    """

    retry: ClassVar[str] = "never"
    retry_after_s: ClassVar[int | None] = None

    def __init__(self, detail: str = "", **data: Any) -> None:
        super().__init__(detail, **{"retry": self.retry, **data})
        self.headers: dict[str, str] = {}
        if self.retry_after_s is not None:
            self.headers["Retry-After"] = str(self.retry_after_s)


class BadEnrolmentCode(FieldProblem):
    code, title, status = "enrolment-code-unknown", "This enrolment code is wrong, used or too old", 403


class BadProof(FieldProblem):
    code, title, status = "proof-invalid", "The signature does not fit the device's key", 401
    retry = "reauth"


class ProofNeeded(FieldProblem):
    """The answer's ``nonce`` is to be signed and sent with the next request."""

    code, title, status = "proof-needed", "Sign the nonce with the device's key", 401
    retry = "now"


class Reauth(FieldProblem):
    code, title, status = "reauth", "The token is missing, altered or past its time", 401
    retry = "reauth"


class DeviceRevoked(FieldProblem):
    """Carries ``wipe``: none, after-upload or now. Pushes are still taken, into quarantine."""

    code, title, status = "device-revoked", "This device was revoked or suspended", 401


class SignInRefused(FieldProblem):
    """Wrong password, unknown address and closed account are answered alike."""

    code, title, status = "sign-in-refused", "The address or the password is not right", 403


class PersonWithoutRole(FieldProblem):
    code, title, status = "person-without-role", "The person holds no role in the device's town", 403


class AppTooOld(FieldProblem):
    """Given for new packages only; carries ``min_app_version``. Pushes and photos are always taken."""

    code, title, status = "app-too-old", "The app must be updated before it takes new work", 426


class EnrolAgain(FieldProblem):
    """Given for new packages only. What the device holds may be pushed as before."""

    code, title, status = (
        "enrol-again",
        "Another tablet seems to use this identity; enrol with a new code",
        403,
    )


class OtherDevice(FieldProblem):
    code, title, status = "device-mismatch", "The token belongs to another device", 403
    retry = "reauth"


class BadJson(FieldProblem):
    code, title, status = "bad-json", "The body is not the JSON that was asked for", 400


class BadBatch(FieldProblem):
    code, title, status = "bad-batch", "The batch's envelope is not valid; no item was read", 422


class BatchTooLarge(FieldProblem):
    code, title, status = "batch-too-large", "The batch is larger than the server takes at once", 413
    retry = "split"


class UnsupportedMedia(FieldProblem):
    code, title, status = "unsupported-media", "The body is of a type or encoding that is not taken here", 415


class Busy(FieldProblem):
    code, title, status = "busy", "The server is busy; nothing was changed", 503
    retry, retry_after_s = "after", 5


class RateLimited(FieldProblem):
    """By device, never by address: tablets behind one line do not hold each other up."""

    code, title, status = "rate-limited", "The device asks too often; wait, nothing is lost", 429
    retry, retry_after_s = "after", 1

    @classmethod
    def after(cls, wait_s: float, *, spread: float) -> "RateLimited":
        """Return the problem with a wait of whole seconds, spread over a second half as long again."""
        problem = cls()
        problem.headers["Retry-After"] = str(max(1, math.ceil(wait_s * (1 + spread / 2))))
        return problem


class AddressLimited(RateLimited):
    """By address, and only where nobody has proven who they are: asking for a token, enrolling."""

    code, title, status = "address-rate-limited", "Too many ask from this address; wait, nothing is lost", 429


class EpochChanged(FieldProblem):
    code, title, status = (
        "epoch-changed",
        "The server was restored from a backup; reconcile and take the manifest",
        409,
    )
    retry = "refresh-manifest"


class BadCursorToken(FieldProblem):
    code, title, status = (
        "cursor-invalid",
        "The cursor is not one that this server gave for this package",
        400,
    )
    retry = "refresh-manifest"


class PackageNotReady(FieldProblem):
    code, title, status = "package-not-ready", "The package is still being built", 409
    retry, retry_after_s = "after", 5


class PackageClosed(FieldProblem):
    code, title, status = (
        "package-closed",
        "The package was closed; what you still hold for it may be pushed",
        410,
    )


class SnapshotAdvised(FieldProblem):
    """The member ``manifest`` is where. Nothing of the client's is lost: it keeps its outbox."""

    code, title, status = (
        "snapshot-advised",
        "So much changed that taking the package anew costs less than the changes",
        410,
    )
    retry = "refresh-manifest"


class RangeNotSatisfiable(FieldProblem):
    code, title, status = "range-not-satisfiable", "The bytes asked for are outside of the file", 416


class UploadHeaderInvalid(FieldProblem):
    code, title, status = "upload-header-invalid", "A header of the upload protocol is missing or wrong", 400


class TusVersionUnsupported(FieldProblem):
    code, title, status = (
        "tus-version-unsupported",
        "Only version 1.0.0 of the upload protocol is spoken here",
        412,
    )


class UploadTypeInvalid(FieldProblem):
    code, title, status = "upload-type-invalid", "Chunks have the type application/offset+octet-stream", 415


class UploadOffsetWrong(FieldProblem):
    code, title, status = "upload-offset-wrong", "Go on from the offset in Upload-Offset", 409
    retry = "resume"


class UploadGone(FieldProblem):
    code, title, status = "upload-expired", "The upload was ended or has expired; begin it anew", 410
    retry = "now"


class UploadLocked(FieldProblem):
    code, title, status = "upload-locked", "Another request is sending this upload right now", 423
    retry, retry_after_s = "after", 1


class UploadTooLarge(FieldProblem):
    code, title, status = "upload-too-large", "The photo is larger than the server takes", 413


class UploadCut(FieldProblem):
    code, title, status = "upload-cut", "The body ended early; go on from the offset in Upload-Offset", 400
    retry = "resume"


class ChecksumMismatch(FieldProblem):
    """The status is tus' own. A chunk is thrown away; a whole photo goes back to offset 0."""

    code, title, status = "checksum-mismatch", "The bytes received are not those that were declared", 460
    retry = "resume"


class DiskReserve(FieldProblem):
    """Photos only: what little disk is left is kept for the ledger."""

    code, title, status = "disk-reserve", "The server's disk is nearly full; photos must wait", 507
    retry, retry_after_s = "after", 600


class AreaInvalid(Problem):
    """Of the office. The member ``fits`` names the coordinate system in which it would lie in the town."""

    code, title, status = "area-invalid", "The area cannot be used", 422


class OverBudget(Problem):
    """Of the office: a tablet would carry more than the town's policy allows."""

    code, title, status = "package-over-budget", "This is more than the tablet may carry; split it", 409


# What an item, not a request, may be quarantined or rejected for. Stable; the office sees the sentence.
ITEM_CODES = {
    "id-reused": "The same id came before with another body; both are kept.",
    "device-clone-suspected": "The device used this number before for another mutation; it may be a copy.",
    "invalid": "The item breaks a rule of its shape; the detail says which.",
    "kind-unknown": "This server does not know this kind of mutation.",
    "schema-too-new": "Written by an app newer than this server.",
    "schema-unknown": "No such version of the app's records was ever shipped.",
    "unstorable": "The item holds characters that cannot be stored; it is kept in escaped form.",
    "property-unknown": "The property is not one of this town's.",
    "person-unknown": "The author has no role in this town.",
    "device-revoked": "The device was revoked before it sent this.",
    "author-unproven": "It names an author who was not signed in on the device.",
    "grant-expired": "Its author's sign-in on the device had ended when it was captured.",
    "not-permitted": "The author's role does not allow this.",
    "field-unknown": "The record has no such field.",
    "apply-failed": "Applying it failed for a reason nobody foresaw; the server's log has it by mutation id.",
    "predecessor-unknown": "It refers to something that has not arrived yet.",
}
