"""Income and expenses over HTTP, for who may see confidential things (CGS 12-63c)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from assessment.property.selectors import get_property
from assessment.region.errors import NotFound
from assessment.region.requests import town_of
from assessment.region.rules import Permission
from valuation.income.models import IncomeRates, IncomeReturn
from valuation.income.selectors import list_income_rates, list_returns
from valuation.income.services import record_return, set_income_rates

router = Router(tags=["income"])
Dollars = Annotated[int, Field(ge=0, le=10**12)]


class ReturnIn(Schema):
    """An owner's return of a calendar year; whole dollars."""

    income_year: Annotated[int, Field(ge=1990, le=2100)]
    received_on: dt.date
    area_sqft: Annotated[int, Field(gt=0, le=10**8)]
    gross_rent: Dollars
    other_income: Dollars = 0
    vacancy_loss: Dollars = 0
    expenses: Dollars = 0
    reserves: Dollars = 0
    note: Annotated[str, Field(max_length=400)] = ""


class ReturnOut(ReturnIn):
    """A return as it is kept."""

    id: UUID
    recorded_at: dt.datetime
    recorded_by_name: str


class RatesIn(Schema):
    """A town's mill rate and market figures for a list year."""

    list_year: Annotated[int, Field(ge=1990, le=2100)]
    mill_rate: Annotated[Decimal, Field(gt=0, lt=200, max_digits=6, decimal_places=3)]
    source: Annotated[str, Field(min_length=3, max_length=400)]
    rates: dict[str, dict[str, float]] = {}
    weights: dict[str, float] = {}
    verified: bool = False


class RatesOut(RatesIn):
    """Rates as they are kept."""

    id: UUID
    rates: dict[str, Any]
    recorded_at: dt.datetime
    recorded_by_name: str


def _subject(request: HttpRequest, property_id: UUID) -> tuple[Any, Any]:
    actor, here = town_of(request, permission=Permission.VIEW_CONFIDENTIAL)
    subject = get_property(property_id)
    if subject.town_id != here.code:
        raise NotFound("There is no such property.")
    return actor, subject


@router.get("/returns/{uuid:property_id}", response=list[ReturnOut], operation_id="list_income_returns")
def get_returns(request: HttpRequest, property_id: UUID) -> list[IncomeReturn]:
    """Return a property's returns, newest year first."""
    actor, subject = _subject(request, property_id)
    return list_returns(subject.pk, subject.town_id, actor=actor)


@router.post("/returns/{uuid:property_id}", response={201: ReturnOut}, operation_id="record_income_return")
def post_return(request: HttpRequest, property_id: UUID, body: ReturnIn) -> Status[IncomeReturn]:
    """Keep a return; one of the same year takes the place of an earlier one, which stays."""
    actor, subject = _subject(request, property_id)
    return Status(201, record_return(subject, actor=actor, **body.dict()))


@router.get("/rates", response=list[RatesOut], operation_id="list_income_rates")
def get_rates(request: HttpRequest, limit: Annotated[int, Field(ge=1, le=500)] = 100) -> list[IncomeRates]:
    """Return what the town has set, the newest list year first; of a list year the first row is in force."""
    _, here = town_of(request, permission=Permission.VIEW)
    return list_income_rates(here.code, limit=limit)


@router.post("/rates", response={201: RatesOut}, operation_id="set_income_rates")
def post_rates(request: HttpRequest, body: RatesIn) -> Status[IncomeRates]:
    """Set the town's mill rate and market figures for a list year."""
    actor, here = town_of(request, permission=Permission.EDIT_MODELS)
    return Status(201, set_income_rates(here, actor=actor, **body.dict()))
