"""Grand lists over HTTP."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Status
from pydantic import Field

from assessment.jobs.services import start_job
from assessment.property.models import Property
from assessment.region.actors import Actor
from assessment.region.errors import NotFound
from assessment.region.requests import town_of
from assessment.region.rules import Permission
from assessment.roll import schemas as shapes
from assessment.roll.models import BalanceDifference, Certification, GrandList
from assessment.roll.rules.accounts import SignedAccount
from assessment.roll.rules.profiles import PROFILES, shown
from assessment.roll.rules.standing import listed
from assessment.roll.selectors import (
    ListedInstrument,
    find_account,
    get_totals,
    list_accounts,
    list_grand_lists,
    list_instrument_lines,
)
from assessment.roll.services.abstracts import get_m13, totals_of
from assessment.roll.services.balancing import find_last_run
from assessment.roll.services.exemptions import set_exemption
from assessment.roll.services.instruments import issue_instrument
from assessment.roll.services.posting import (
    PostedLine,
    Reason,
    post_assessment_lines,
)
from assessment.roll.services.signing import sign_grand_list
from assessment.roll.services.standings import Change
from assessment.roll.services.verifying import paper_from_root, verify_grand_list

router = Router(tags=["roll"])


def _actor(request: HttpRequest, permission: Permission = Permission.VIEW) -> tuple[Actor, int]:
    actor, here = town_of(request)
    actor.require(permission, here.code)
    return actor, here.code


def _get(list_id: UUID, town_code: int) -> GrandList:
    found = GrandList.objects.filter(pk=list_id, town_id=town_code).first()
    if found is None:
        raise NotFound("There is no such list.")
    return found


def _property(property_id: UUID, town_code: int) -> Property:
    found = Property.objects.filter(pk=property_id, town_id=town_code).first()
    if found is None:
        raise NotFound("There is no such property.")
    return found


@router.get("/", response=list[shapes.ListOut], operation_id="list_grand_lists")
def get_lists(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the town's lists, newest first."""
    _, code = _actor(request)
    return [_list_out(item) for item in list_grand_lists(code)]


@router.get("/{uuid:list_id}", response=shapes.ListDetailOut, operation_id="get_grand_list")
def get_list(request: HttpRequest, list_id: UUID) -> dict[str, Any]:
    """Return a list with its totals, its certification once signed, and its last balance."""
    _, code = _actor(request)
    grand_list = _get(list_id, code)
    run = find_last_run(grand_list)
    return _list_out(grand_list) | {
        "totals": get_totals(grand_list),
        "certification": Certification.objects.filter(grand_list=grand_list).first(),
        "balance": run
        and {
            "run_at": run.run_at,
            "accounts": run.accounts,
            "matched": run.matched,
            "tolerance": run.tolerance,
            "open_differences": BalanceDifference.objects.filter(run=run, signed_off_at__isnull=True).count(),
        },
    }


@router.get("/{uuid:list_id}/accounts", response=list[shapes.AccountOut], operation_id="list_accounts")
def get_accounts(
    request: HttpRequest,
    list_id: UUID,
    q: Annotated[str, Field(max_length=100)] = "",
    offset: Annotated[int, Field(ge=0)] = 0,
    limit: Annotated[int, Field(ge=1, le=100)] = 100,
) -> list[dict[str, Any]]:
    """Return a page of accounts; `q` is part of an owner or location, or begins an account number."""
    actor, code = _actor(request)
    found = list_accounts(_get(list_id, code), q=q, offset=offset, limit=limit)
    return [_account_out(account, actor, code) for account in found]


@router.get(
    "/{uuid:list_id}/accounts/{uuid:property_id}",
    response=shapes.AccountDetailOut,
    operation_id="get_account",
)
def get_account(request: HttpRequest, list_id: UUID, property_id: UUID) -> dict[str, Any]:
    """Return a property's account with its instruments."""
    actor, code = _actor(request)
    return _account_detail(_get(list_id, code), property_id, actor, code)


@router.put(
    "/{uuid:list_id}/accounts/{uuid:property_id}/lines",
    response=shapes.AccountDetailOut,
    operation_id="post_assessment_lines",
)
def put_lines(
    request: HttpRequest, list_id: UUID, property_id: UUID, body: shapes.PostingIn
) -> dict[str, Any]:
    """Replace the components of an account of an open list; an interim list needs a dated reason."""
    actor, code = _actor(request, Permission.EDIT_LIST)
    grand_list = _get(list_id, code)
    post_assessment_lines(
        grand_list,
        actor=actor,
        subject=_property(property_id, code),
        lines=[PostedLine(line.detail_code, line.appraised, line.assessed) for line in body.lines],
        reason=_reason(body.reason) if body.reason else None,
    )
    return _account_detail(grand_list, property_id, actor, code)


@router.put(
    "/{uuid:list_id}/accounts/{uuid:property_id}/exemptions",
    response=shapes.AccountDetailOut,
    operation_id="set_exemption",
)
def put_exemption(
    request: HttpRequest, list_id: UUID, property_id: UUID, body: shapes.ExemptionIn
) -> dict[str, Any]:
    """Grant, change or take away an exemption of an account of an open list."""
    actor, code = _actor(request, Permission.EDIT_LIST)
    grand_list = _get(list_id, code)
    set_exemption(
        grand_list,
        actor=actor,
        subject=_property(property_id, code),
        code=body.code,
        amount=body.amount,
        statute=body.statute,
        reason=_reason(body.reason),
    )
    return _account_detail(grand_list, property_id, actor, code)


@router.post(
    "/{uuid:list_id}/accounts/{uuid:property_id}/instruments",
    response={201: shapes.InstrumentOut},
    operation_id="issue_instrument",
)
def post_instrument(
    request: HttpRequest, list_id: UUID, property_id: UUID, body: shapes.InstrumentIn
) -> Status[dict[str, Any]]:
    """Issue a certificate of correction or another instrument; the signed list stays."""
    actor, code = _actor(request, Permission.CORRECT_LIST)
    grand_list = _get(list_id, code)
    made = issue_instrument(
        grand_list,
        actor=actor,
        kind=body.kind,
        subject=_property(property_id, code),
        changes=[Change(item.section, item.code, item.amount, item.appraised) for item in body.changes],
        dated_on=body.dated_on,
        explanation=body.explanation,
        statute=body.statute,
    )
    lines = [line for line in list_instrument_lines(grand_list) if line.number == made.number]
    return Status(201, _instruments_out(lines)[0])


@router.get(
    "/{uuid:list_id}/instruments", response=list[shapes.InstrumentOut], operation_id="list_instruments"
)
def get_instruments(
    request: HttpRequest,
    list_id: UUID,
    offset: Annotated[int, Field(ge=0)] = 0,
    limit: Annotated[int, Field(ge=1, le=100)] = 100,
) -> list[dict[str, Any]]:
    """Return a page of a list's instruments, in order of date."""
    _, code = _actor(request)
    return _instruments_out(list_instrument_lines(_get(list_id, code)))[offset : offset + limit]


@router.post(
    "/{uuid:list_id}/signature", response={201: shapes.CertificationOut}, operation_id="sign_grand_list"
)
def post_signature(request: HttpRequest, list_id: UUID) -> Status[Certification]:
    """Sign the list as the person who is signed in: an assessor with a certificate in force."""
    actor, code = _actor(request, Permission.SIGN_LIST)
    return Status(201, sign_grand_list(_get(list_id, code), actor=actor).certification)


@router.get("/{uuid:list_id}/verification", response=shapes.VerificationOut, operation_id="verify_grand_list")
def get_verification(
    request: HttpRequest, list_id: UUID, root: Annotated[str, Field(max_length=100)] = ""
) -> dict[str, Any]:
    """Recompute a signed list and compare it with its certification, or with a root from the printed page."""
    actor, code = _actor(request)
    grand_list = _get(list_id, code)
    report = verify_grand_list(grand_list, actor=actor, paper=paper_from_root(root) if root else None)
    return {
        "intact": report.intact,
        "root": report.root,
        "totals": report.totals,
        "breaks": [{"where": item.where, "what": item.what} for item in report.breaks],
    }


@router.get("/{uuid:list_id}/m13", response=shapes.AbstractOut, operation_id="get_m13")
def get_abstract(request: HttpRequest, list_id: UUID, through: dt.date | None = None) -> dict[str, Any]:
    """Return the sums of the state's abstract at each stage, from as signed to after the board."""
    actor, code = _actor(request)
    return totals_of(get_m13(_get(list_id, code), actor=actor, through=through))


@router.post(
    "/{uuid:list_id}/exports", response={202: shapes.JobStartedOut}, operation_id="export_grand_list"
)
def post_export(request: HttpRequest, list_id: UUID, body: shapes.ExportIn) -> Status[dict[str, Any]]:
    """Start the job that writes a signed list's files."""
    actor, code = _actor(request, Permission.EXPORT_LIST)
    grand_list = _get(list_id, code)
    job = start_job(
        "export_grand_list",
        actor=actor,
        town=code,
        payload={"list_id": str(grand_list.pk), **body.dict()},
        key=f"{grand_list.pk}-{body.profile}-{body.basis}-{'-'.join(body.formats)}",
    )
    return Status(202, {"job_id": job.id, "state": job.state})


def _reason(given: shapes.ReasonIn) -> Reason:
    return Reason(given.kind, given.dated_on, given.explanation, given.permit_id)


def _list_out(item: GrandList) -> dict[str, Any]:
    return {
        "id": item.pk,
        "year": item.year,
        "kind": item.kind,
        "state": item.state,
        "basis": item.basis,
        "base_revaluation_on": item.base_revaluation_on,
        "rounding": f"{item.rounding_unit} {item.rounding_mode} {item.rounding_level}",
        "is_signing_extended": item.is_signing_extended,
    }


def _account_out(account: SignedAccount, actor: Actor, town_code: int) -> dict[str, Any]:
    if not actor.may(Permission.VIEW_CONFIDENTIAL, town_code):
        account = shown(account, PROFILES["statutory"], protected=False)
    return {
        "property_id": account.property_id,
        "list_number": account.list_number,
        "account": account.account,
        "owner": account.owner,
        "co_owner": account.co_owner,
        "location": account.location,
        "exempt_code": account.exempt_code,
        "lines": list(account.lines),
        "exemptions": list(account.exemptions),
        "gross": account.gross,
        "exempt": account.exempt,
        "net": account.net,
    }


def _account_detail(grand_list: GrandList, property_id: UUID, actor: Actor, town_code: int) -> dict[str, Any]:
    account = find_account(grand_list, property_id)
    if account is None:
        raise NotFound("There is no such account.")
    lines = [line for line in list_instrument_lines(grand_list) if line.property_id == str(property_id)]
    after = listed(account, [line.effect for line in lines])
    return _account_out(account, actor, town_code) | {
        "instruments": _instruments_out(lines),
        "gross_after": after.gross_after,
        "net_after": after.net_after,
    }


def _instruments_out(lines: list[ListedInstrument]) -> list[dict[str, Any]]:
    papers: dict[str, dict[str, Any]] = {}
    for line in lines:
        paper = papers.setdefault(
            line.number,
            {
                "number": line.number,
                "kind": line.kind,
                "dated_on": line.dated_on,
                "property_id": line.property_id,
                "list_number": line.list_number,
                "statute": line.statute,
                "explanation": line.explanation,
                "lines": [],
            },
        )
        paper["lines"].append(
            {
                "section": line.section,
                "code": line.code,
                "appraised_change": line.appraised_change,
                "amount_change": line.amount_change,
            }
        )
    return list(papers.values())
