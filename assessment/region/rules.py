"""Who may do what: roles, permissions and their table."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a person is for a town, between two dates."""

    ASSESSOR = "assessor"
    DEPUTY = "deputy"
    REVIEWER = "reviewer"
    DATA_COLLECTOR = "data_collector"
    CLERK = "clerk"
    BAA_MEMBER = "baa_member"
    COORDINATOR = "coordinator"
    VIEWER = "viewer"


class Permission(StrEnum):
    """One thing that a role allows."""

    VIEW = "view"
    VIEW_CONFIDENTIAL = "view_confidential"
    VIEW_ORIGINALS = "view_originals"
    EDIT_RECORD = "edit_record"
    INSPECT = "inspect"
    ACCEPT_OBSERVATIONS = "accept_observations"
    IMPORT = "import"
    DECIDE_SALES = "decide_sales"
    RUN_VALUATION = "run_valuation"
    EDIT_MODELS = "edit_models"
    EDIT_LIST = "edit_list"
    SIGN_LIST = "sign_list"
    EXPORT_LIST = "export_list"
    CORRECT_LIST = "correct_list"
    DECIDE_APPEALS = "decide_appeals"
    MANAGE_PEOPLE = "manage_people"
    MANAGE_DEVICES = "manage_devices"
    MANAGE_PACKAGES = "manage_packages"
    MANAGE_REGION = "manage_region"


_P = Permission
_OFFICE = frozenset(
    {
        _P.VIEW, _P.VIEW_CONFIDENTIAL, _P.VIEW_ORIGINALS, _P.EDIT_RECORD, _P.INSPECT, _P.ACCEPT_OBSERVATIONS, _P.IMPORT,
        _P.DECIDE_SALES, _P.RUN_VALUATION, _P.EDIT_LIST, _P.EXPORT_LIST, _P.CORRECT_LIST,
        _P.MANAGE_DEVICES, _P.MANAGE_PACKAGES,
    }
)  # fmt: skip

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.ASSESSOR: _OFFICE | {_P.SIGN_LIST, _P.MANAGE_PEOPLE, _P.EDIT_MODELS},
    Role.DEPUTY: _OFFICE,
    Role.REVIEWER: frozenset(
        {
            _P.VIEW,
            _P.VIEW_ORIGINALS,
            _P.INSPECT,
            _P.ACCEPT_OBSERVATIONS,
            _P.DECIDE_SALES,
            _P.RUN_VALUATION,
            _P.EDIT_MODELS,
        }
    ),
    Role.DATA_COLLECTOR: frozenset({_P.VIEW, _P.INSPECT}),
    Role.CLERK: frozenset({_P.VIEW, _P.EXPORT_LIST}),
    Role.BAA_MEMBER: frozenset({_P.VIEW, _P.DECIDE_APPEALS}),
    Role.COORDINATOR: frozenset({_P.VIEW, _P.MANAGE_REGION, _P.MANAGE_DEVICES, _P.MANAGE_PACKAGES}),
    Role.VIEWER: frozenset({_P.VIEW}),
}


def permissions_of(roles: frozenset[Role]) -> frozenset[Permission]:
    """Return every permission that any of ``roles`` gives; none for nobody."""
    return frozenset().union(*(ROLE_PERMISSIONS[role] for role in roles)) if roles else frozenset()
