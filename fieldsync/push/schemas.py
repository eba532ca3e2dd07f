"""The wire shapes of a push.

The batch is read strictly, its items one by one, so that one bad item stops nothing. Items are plain
pydantic models: ninja's own read attributes of Django objects too, at three times the cost.
"""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)

Count = Annotated[int, Field(ge=0, le=2**53)]


def _in_utc(moment: datetime) -> datetime:
    """Return the moment in UTC: a zone 22 hours off, or the last evening of the year 9999, no column can hold."""
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("the moment is outside of the calendar") from error


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class QueueIn(Schema):
    """How the device is doing; shown on its page in the office."""

    pending: Count = 0
    photos: Count = 0
    bytes: Count = 0
    oldest_age_s: Count | None = None
    persisted: bool | None = None
    quota_used: float | None = None


_UNSAID = {"app_version": ""}


class PushIn(Schema):
    """A batch. ``mutations`` are read one by one, see :class:`MutationIn`."""

    batch_id: UUID
    device_id: UUID
    app_version: str = Field("", max_length=40)
    schema_version: int = Field(1, ge=0, le=32767)
    client_time: AwareDatetime | None = None
    queue: QueueIn | None = None
    grants: list[Any] = Field([], description="offline grants of the people who made the items")
    mutations: list[Any]

    @field_validator("app_version", "client_time", "queue", mode="wrap")
    @classmethod
    def _is_no_reason_to_refuse(
        cls, said: Any, read: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> Any:
        """Pass over what the device says of itself when it cannot be read: field data came with it."""
        try:
            return read(said)
        except ValidationError:
            is_long = info.field_name == "app_version" and isinstance(said, str)
            return said[:40] if is_long else _UNSAID.get(info.field_name or "")


class FieldChangeIn(BaseModel):
    """One field of a card: the value the device saw, and the one it found.

    In the unit that the field's name states; ``unit`` is for a field whose row has a unit of its own.
    """

    model_config = ConfigDict(extra="allow")
    base: Any = None
    new: Any
    unit: str = Field("", max_length=10)
    is_estimated: bool = False


class MutationIn(BaseModel):
    """The envelope of a mutation; what it carries depends on its kind."""

    mutation_id: UUID
    device_seq: int = Field(ge=1, le=2**53)
    kind: str = Field(max_length=60)
    entity_id: UUID
    captured_at: Moment
    actor_id: UUID | None = None
    package_id: UUID | None = None
    schema_version: int | None = Field(None, ge=0, le=32767)
    base_version: int | None = None
    changes: dict[str, FieldChangeIn] | None = None
    data: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _units_are_the_fields_own(self) -> "MutationIn":
        for path, change in (self.changes or {}).items():
            if change.unit and path.endswith(("_sqft", "_ft", "_acres")):
                raise ValueError(f"{path} is in the unit of its name; it takes no other")
        return self


class PatchIn(BaseModel):
    """``data`` of ``card.patch``, all of it optional: what the changes were seen by."""

    inspection_id: UUID | None = None
    observed_on: date | None = None
    list_year: int | None = Field(None, ge=1900, le=2200)
    source: str = Field("", max_length=20)


class InspectionIn(BaseModel):
    """``data`` of ``inspection.create``: a visit; what was seen at it is in ``changes``."""

    property_id: UUID
    entry_code: str = Field(max_length=4)
    purpose: str = Field("revaluation", max_length=30)
    interior_source: str = Field("", max_length=20)
    is_full_inspection: bool | None = None
    visited_at: Moment | None = None
    list_year: int | None = Field(None, ge=1900, le=2200)
    refusal_note: str = Field("", max_length=200)
    note: str = Field("", max_length=20_000)
    photos: list[UUID] = []

    @model_validator(mode="before")
    @classmethod
    def _is_of_this_version(cls, said: Any) -> Any:
        return _without(said, "observations", "what was seen at a visit is in changes")


class PositionIn(BaseModel):
    """Where the camera stood (WGS 84); numbers as decimal text."""

    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)
    accuracy_m: float | None = Field(None, ge=0)
    heading_deg: float | None = None


class PhotoIn(BaseModel):
    """``data`` of ``photo.declare``: a photo taken, whose bytes come by another way."""

    property_id: UUID | None = None
    inspection_id: UUID | None = None
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int = Field(ge=1, le=2**40)
    mime: str = Field("", max_length=100)
    taken_at: Moment | None = None
    role: str = Field("", max_length=20)
    position: PositionIn | None = None

    @model_validator(mode="before")
    @classmethod
    def _is_of_this_version(cls, said: Any) -> Any:
        return _without(said, "lat", "where a photo was taken is in position")


class ReviewIn(BaseModel):
    """``data`` of ``review.answer``: what a reviewer in the field says of a proposed value."""

    property_id: UUID
    decision: Literal["agree", "change", "look"]
    list_year: int | None = Field(None, ge=1900, le=2200)
    proposed_value: int | None = Field(None, ge=0, le=2**53)
    value: int | None = Field(None, ge=0, le=2**53)
    reason: str = Field("", max_length=400)

    @model_validator(mode="after")
    def _states_the_other_value(self) -> "ReviewIn":
        if self.decision == "change" and (self.value is None or not self.reason.strip()):
            raise ValueError("another value is stated with its reason")
        return self


def _without(said: Any, name: str, hint: str) -> Any:
    """Refuse a member of an older version: ignored, what it says would be lost without a word."""
    if isinstance(said, dict) and name in said:
        raise ValueError(f"{name} is of an older version: {hint}")
    return said


class UploadHint(Schema):
    """Whether the server still lacks a photo's bytes, and where to send them."""

    needed: bool
    url: str


class ResultOut(Schema):
    """What became of one mutation."""

    mutation_id: UUID | None
    index: int | None = None
    status: str
    duplicate: bool | None = None
    code: str | None = None
    detail: str | None = None
    flags: list[str] | None = None
    version: int | None = None
    fields: dict[str, str] | None = None
    conflict_ids: list[UUID] | None = None
    held_for: UUID | None = None
    held_since: datetime | None = None
    soft: bool | None = None
    settled: str | None = None
    upload: UploadHint | None = None
    receipt: str | None = None


class HintsOut(Schema):
    """How the server would like to be spoken to."""

    push_max_items: int
    next_poll_s: int
    pause_photos: bool = False


class DeviceNotice(Schema):
    """What the office has decided about the device."""

    state: str
    wipe: str
    enrol_again: bool = False


class PushOut(Schema):
    """The answer to a batch that was understood, whatever became of its items."""

    batch_id: UUID
    server_time: datetime
    clock_offset_ms: int | None
    results: list[ResultOut]
    ack_device_seq: int
    device: DeviceNotice
    hints: HintsOut


class StatusIn(Schema):
    """Mutations whose results are asked for again."""

    ids: list[UUID] = Field(max_length=1000)


class StatusOut(Schema):
    """Results known; ids the server has never seen are in ``unknown``."""

    results: list[ResultOut]
    unknown: list[UUID]


RetryHint = Literal["never", "now", "after", "split", "reauth", "refresh-manifest", "resume"]
