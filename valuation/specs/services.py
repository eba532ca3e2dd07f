"""Writing model versions and adopting them."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Max

from assessment.region.actors import Actor
from assessment.region.errors import Forbidden
from assessment.region.models import Town
from assessment.region.rules import Permission
from valuation.cost.rules import Schedule, ScheduleError
from valuation.frames.rules import FeatureRefused
from valuation.runs.errors import SpecNotFound, SpecRefused
from valuation.specs.models import ModelSpec, SpecAdoption

SHIPPED = Path(__file__).parent / "shipped"
DEFAULT_NAME = "ct-residential"


def spec_hash(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a spec's content, independent of key order."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@transaction.atomic
def create_spec(
    name: str,
    *,
    actor: Actor,
    schedule: Mapping[str, Any] | None = None,
    calibration: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    evidence: Mapping[str, Any] | None = None,
    title: str = "",
) -> ModelSpec:
    """Keep a model as the next version of its name; equal content gives the version that has it already.

    Raises
    ------
    SpecRefused
        The tables cannot be used, or one is keyed by a value already on the cards.
    Forbidden
        The actor may edit models in no town.
    """
    from valuation.runs.rules.local import BadPoolingOptionsError, Pooling
    from valuation.runs.rules.market import BadMarketOptionsError, checked_options

    if not actor.is_system and not any(actor.may(Permission.EDIT_MODELS, code) for code in actor.towns):
        raise Forbidden("This needs the permission to edit models in some town.", permission="edit_models")
    if not schedule and not calibration:
        raise SpecRefused("A model has tables, or says how to calibrate them.")
    try:
        if schedule:
            Schedule.from_json(schedule)
        checked_options((settings or {}).get("market", {}))
        Pooling.from_settings((settings or {}).get("pooling", {}))
    except (ScheduleError, FeatureRefused, BadMarketOptionsError, BadPoolingOptionsError) as error:
        raise SpecRefused(f"{error}.") from error
    content = {
        "schedule": dict(schedule or {}),
        "calibration": dict(calibration or {}),
        "settings": dict(settings or {}),
    }
    digest = spec_hash(content)
    same = ModelSpec.objects.filter(name=name, sha256=digest).first()
    if same is not None:
        return same
    newest = ModelSpec.objects.filter(name=name).aggregate(Max("version"))["version__max"] or 0
    return ModelSpec.objects.create(
        name=name,
        version=newest + 1,
        title=title,
        evidence=dict(evidence or {}),
        sha256=digest,
        created_by_id=actor.person_id,
        created_by_name=actor.name,
        **content,
    )


def load_shipped_specs(*, actor: Actor) -> list[ModelSpec]:
    """Bring in the models that come with the product; a second call changes nothing."""
    specs = []
    for path in sorted(SHIPPED.glob("*.json")):
        plain = json.loads(path.read_text(encoding="utf-8"))
        specs.append(create_spec(plain.pop("name"), actor=actor, **plain))
    return specs


def get_spec(text: str, *, actor: Actor) -> ModelSpec:
    """Return a model by ``name`` (newest version) or ``name:version``; shipped models are brought in first.

    Raises
    ------
    SpecNotFound
        Naming the models there are.
    """
    name, _, version = text.partition(":")
    found = _find(name, version)
    if found is None and any(json.loads(p.read_text())["name"] == name for p in SHIPPED.glob("*.json")):
        load_shipped_specs(actor=actor)
        found = _find(name, version)
    if found is None:
        names = ", ".join(f"{spec.name}:{spec.version}" for spec in ModelSpec.objects.all()) or "none"
        raise SpecNotFound(f"There is no model {text!r}; there are: {names}.")
    return found


def _find(name: str, version: str) -> ModelSpec | None:
    rows = ModelSpec.objects.filter(name=name).order_by("-version")
    if version:
        rows = rows.filter(version=int(version)) if version.isdigit() else rows.none()
    return rows.first()


@transaction.atomic
def adopt_spec(
    town: Town, *, spec: ModelSpec, list_year: int, actor: Actor, adopted_on: dt.date, reason: str = ""
) -> SpecAdoption:
    """Adopt a version for a town's list year, in place of one adopted before.

    Raises
    ------
    Forbidden
        Only who may sign the town's list adopts a model for it.
    """
    actor.require(Permission.SIGN_LIST, town.code)
    adoption, _ = SpecAdoption.objects.update_or_create(
        town=town,
        list_year=list_year,
        defaults={
            "spec": spec,
            "adopted_on": adopted_on,
            "adopted_by_id": actor.person_id,
            "adopted_by_name": actor.name,
            "reason": reason,
        },
    )
    return adoption
