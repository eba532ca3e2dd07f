"""The ratio study of what is concluded now: figures, rule set, charts and every sale."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from assessment.office.pages.base import crumbs, town_page
from assessment.office.registries import PageScope
from assessment.property.models import Property
from valuation.runs.selectors import get_town_run

_WIDTH, _HEIGHT = 600.0, 180.0


@town_page("view")
def study(request: HttpRequest, scope: PageScope, valuation_run_id: UUID) -> HttpResponse:
    """Judge the conclusions as they stand by the usable sales, overrides in force included."""
    # Here: numpy and scipy come with them, which most requests never need.
    from valuation.ratio.rules import judge, rule_sets
    from valuation.ratio.rules import study as ratio_study
    from valuation.review.closing import RULE_SET
    from valuation.review.evidence import sold_conclusions, unsold_of

    run = get_town_run(valuation_run_id, scope.town.code)
    sales = sold_conclusions(run)
    trail = (
        ("Ratio studies", reverse("ratio-studies", kwargs={"town": scope.town.slug})),
        (str(run), reverse("valuation-run", kwargs={"town": scope.town.slug, "valuation_run_id": run.pk})),
    )
    values: dict[str, Any] = {
        "nav": "ratio-studies",
        "run": run,
        "n": len(sales.prices),
        "crumbs": crumbs(scope, *trail, "Ratio study"),
    }
    if len(sales.prices) >= 5:
        whole = ratio_study(sales.values, sales.prices, resamples=500, seed=run.seed)
        values |= {
            "figures": [(_TITLES[name], whole[name].as_json(), _GOOD[name]) for name in _TITLES],
            "rules": judge(
                rule_sets()[RULE_SET],
                sales.values,
                sales.prices,
                classes=list(sales.classes),
                neighbourhoods=list(sales.neighbourhoods),
                unsold=unsold_of(run),
            ),
            **_charts(sales.values, sales.prices),
            "sales": _furthest(sales),
        }
    return render(request, "valuation/study.html", values)


_TITLES = {
    "median": "Median ratio",
    "weighted_mean": "Weighted mean ratio",
    "cod": "COD, %",
    "prd": "PRD",
    "prb": "PRB",
    "mki": "MKI",
    "vei": "VEI, %",
}
_GOOD = {
    "median": "0.90 to 1.10",
    "weighted_mean": "near the median",
    "cod": "5 to 15 for houses, to 20 for others",
    "prd": "0.98 to 1.03",
    "prb": "\N{MINUS SIGN}0.05 to 0.05",
    "mki": "near 1; below is regressive",
    "vei": "\N{MINUS SIGN}10 to 10",
}


def _charts(values: Any, prices: Any) -> dict[str, Any]:
    """Return bars and bands with their places in the picture, in pixels from the top left."""
    from valuation.ratio.rules.charts import bands, histogram
    from valuation.ratio.rules.errors import RatioStudyError

    bars = histogram(values, prices)
    tallest = max(bar.count for bar in bars) or 1
    wide = _WIDTH / len(bars)
    out: dict[str, Any] = {
        "width": _WIDTH,
        "height": _HEIGHT,
        "bars": [
            {
                "x": round(at * wide + 1, 1),
                "y": round(_HEIGHT * (1 - bar.count / tallest), 1),
                "width": round(wide - 2, 1),
                "height": round(_HEIGHT * bar.count / tallest, 1),
                "low": bar.low,
                "high": bar.high,
                "count": bar.count,
            }
            for at, bar in enumerate(bars)
        ],
    }
    try:
        out["bands"] = bands(values, prices)
    except RatioStudyError:
        out["bands"] = []
    return out


def _furthest(sales: Any, limit: int = 100) -> list[dict[str, Any]]:
    """Return the sales whose ratio is furthest from the median, first; with the address of each."""
    ratios = sales.values / sales.prices
    middle = sorted(ratios)[len(ratios) // 2]
    order = sorted(range(len(ratios)), key=lambda at: (-abs(ratios[at] - middle), at))[:limit]
    names = dict(
        Property.objects.filter(id__in=[sales.property_ids[at] for at in order]).values_list("id", "address")
    )
    return [
        {
            "property_id": sales.property_ids[at],
            "address": names.get(sales.property_ids[at]) or "No address",
            "neighbourhood": str(sales.neighbourhoods[at]),
            "price": int(sales.prices[at]),
            "value": int(sales.values[at]),
            "ratio": float(ratios[at]),
        }
        for at in order
    ]
