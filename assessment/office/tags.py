"""Filters and tags of the office's templates; they are built in, so templates need no ``load``."""

from __future__ import annotations

import datetime as dt
import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

NOTHING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
_CODE = re.compile(r"[a-z][a-z0-9_.-]*")
_TONES = {
    state: tone
    for tone, states in {
        "good": "met in_force posted done succeeded accepted signed final valid usable after_board active balanced loaded current",
        "busy": "running open valued claimed",
        "wait": "look queued pending waiting proposed undecided conflict observed draft price-only",
        "bad": "missed refused failed rejected invalid revoked cancelled dead unbalanced expired",
    }.items()
    for state in states.split()
}


def _decimal(value: Any) -> Decimal | None:
    if value is None or value == "" or isinstance(value, bool):
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


@register.filter
def number(value: Any, places: int = 0) -> str:
    """Return ``1,234`` or, with places, ``1,234.50``; a dash where there is nothing."""
    exact = _decimal(value)
    if exact is None or not exact.is_finite():
        return NOTHING
    rounded = exact.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return f"{rounded:,.{places}f}".replace("-", MINUS)


@register.filter
def amount(value: Any) -> str:
    """Return a number with separators, and anything else as its text: for values of unknown kind."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | Decimal):
        return number(value, 0 if value == int(value) else 2)
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else number(value)
    if isinstance(value, list | tuple):
        return ", ".join(str(each) for each in value)
    return plain(value)


@register.filter
def dollars(value: Any) -> str:
    """Return whole dollars, ``$1,234``; a dash where there is no amount (which is not zero)."""
    text = number(value)
    if text == NOTHING:
        return NOTHING
    return f"{MINUS}${text[1:]}" if text.startswith(MINUS) else f"${text}"


@register.filter
def signed_dollars(value: Any) -> str:
    """Return a difference with its sign, ``+$1,234``."""
    difference = _decimal(value)
    text = dollars(value)
    return f"+{text}" if difference is not None and difference > 0 else text


@register.filter
def percent(value: Any, places: int = 1) -> str:
    """Return ``12.3 %`` of a value that is in percent already."""
    text = number(value, places)
    return text if text == NOTHING else f"{text} %"


@register.filter
def plain(value: Any) -> str:
    """Return the value without separators: years, house numbers, identifiers."""
    return NOTHING if value is None or value == "" else str(value)


@register.filter
def day(value: dt.date | dt.datetime | str | None) -> str:
    """Return ``Oct 1, 2025``, of an instant its local day; also of a day or an instant as JSON carries it."""
    if isinstance(value, str):
        value = dt.datetime.fromisoformat(value) if "T" in value else dt.date.fromisoformat(value)
    if value is None:
        return NOTHING
    if isinstance(value, dt.datetime):
        value = timezone.localtime(value).date() if timezone.is_aware(value) else value.date()
    return f"{value:%b} {value.day}, {value.year}"


@register.filter
def moment(value: dt.datetime | None) -> str:
    """Return ``Oct 1, 2025, 3:12 PM`` in the office's time zone."""
    if value is None:
        return NOTHING
    local = timezone.localtime(value) if timezone.is_aware(value) else value
    return f"{day(local)}, {local:%I}".replace(", 0", ", ") + f"{local:%M %p}".join((":", ""))


@register.filter
def duration(seconds: float | None) -> str:
    """Return ``42 s``, ``3 min 5 s`` or ``2 h 10 min``."""
    if seconds is None:
        return NOTHING
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


@register.filter
def words(value: Any) -> str:
    """Return a code as words: ``after_board`` is ``After board``."""
    text = str(getattr(value, "label", value) or "").strip()
    if _CODE.fullmatch(text):
        text = re.sub(r"[-_.]", " ", text)
    return text[:1].upper() + text[1:] if text else NOTHING


_PROFILES = {
    "statutory": "Public inspection: the statutory list",
    "public": "The web site: no mailing addresses",
    "foi": "A request for records",
    "collector": "The tax collector: everything",
    "cog": "The council of governments (CGS 7-100l)",
}


@register.filter
def profile(name: str) -> str:
    """Return for whom a profile of an export is."""
    return _PROFILES.get(name, words(name))


@register.simple_tag
def badge(state: Any, label: str = "") -> SafeString:
    """Return the state as a badge; its colour only repeats what its word says."""
    key = str(getattr(state, "value", state) or "").lower()
    tone = _TONES.get(key, "")
    return format_html(
        '<span class="badge{}">{}</span>', f" badge--{tone}" if tone else "", label or words(state)
    )


@register.filter
def lookup(mapping: Any, key: Any) -> Any:
    """Return ``mapping[key]``, or None."""
    return mapping.get(key) if mapping else None


@register.simple_tag(takes_context=True)
def render_panel(context: template.Context, panel: Any) -> SafeString:
    """Render a panel of the card with its own values on top of the page's."""
    assert context.template is not None
    with context.push(panel=panel, **panel.values):
        # Django's own ``include`` takes its values one by one, by name.
        return context.template.engine.get_template(panel.template).render(context)
