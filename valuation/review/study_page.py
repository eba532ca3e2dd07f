"""The ratio study of one value of a run, the conclusion unless asked: figures, rule set, charts and sales."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from assessment.office.pages.base import crumbs, town_page
from assessment.office.registries import PageScope
from assessment.property.models import Property
from valuation.reports.rules import Grid, Section
from valuation.review.judged import CONCLUSION, TITLES, choose_judged, list_judged
from valuation.runs.models import Run
from valuation.runs.selectors import get_town_run

_WIDTH, _HEIGHT = 600.0, 180.0


@town_page("view")
def study(request: HttpRequest, scope: PageScope, valuation_run_id: UUID) -> HttpResponse:
    """Judge a value of the run by the usable sales: ``?judge=``, else the conclusions as they stand."""
    # Here: numpy and scipy come with them, which most requests never need.
    from valuation.ratio.rules import judge, rule_sets
    from valuation.ratio.rules import study as ratio_study
    from valuation.review.closing import RULE_SET
    from valuation.review.evidence import sold_conclusions, unsold_of

    run = get_town_run(valuation_run_id, scope.town.code)
    judged = choose_judged(run, request.GET.get("judge", ""))
    sales = sold_conclusions(run, of=judged)
    trail = (
        ("Ratio studies", reverse("ratio-studies", kwargs={"town": scope.town.slug})),
        (str(run), reverse("valuation-run", kwargs={"town": scope.town.slug, "valuation_run_id": run.pk})),
    )
    values: dict[str, Any] = {
        "nav": "ratio-studies",
        "run": run,
        "n": len(sales.prices),
        "judged": judged,
        "judged_title": TITLES[judged],
        "choices": [(name, TITLES[name]) for name in list_judged(run)],
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
                unsold=unsold_of(run, of=judged),
            ),
            **_charts(sales.values, sales.prices),
            "sales": _furthest(sales),
        }
    if request.GET.get("format") == "pdf":
        return _pdf(scope, run, values)
    return render(request, "valuation/study.html", values)


def _pdf(scope: PageScope, run: Run, values: dict[str, Any]) -> HttpResponse:
    from valuation.reports.paper import report_pdf

    judged = values["judged"]
    of = "the values concluded" if judged == CONCLUSION else f"the values by the {TITLES[judged].lower()}"
    title = f"{scope.town.name}: ratio study of {of}, list of {run.list_year}"
    answer = HttpResponse(report_pdf(title, _sections(values)), content_type="application/pdf")
    answer["Content-Disposition"] = (
        f'attachment; filename="ratio-study-{scope.town.slug}-{run.list_year}-{judged}.pdf"'
    )
    return answer


def _sections(values: dict[str, Any]) -> list[Section]:
    """Return what the page shows, as sections of paper."""
    if "figures" not in values:
        told = f"Judged: {values['judged_title']}. Fewer than five usable sales."
        return [Section("Ratio study", (told,))]
    figures = tuple(
        (
            title,
            figure["value"],
            f"{figure['low']:.3f} to {figure['high']:.3f}" if "low" in figure else "",
            good,
        )
        for title, figure, good in values["figures"]
    )
    sizes = tuple(
        (
            f"${band.lowest:,.0f} to ${band.highest:,.0f}",
            band.n,
            band.median,
            f"{band.low:.3f} to {band.high:.3f}",
        )
        for band in values["bands"]
    )
    bars = tuple((f"{bar['low']:.2f} to {bar['high']:.2f}", bar["count"]) for bar in values["bars"])
    rules = tuple(
        (
            f"{rule.title}: {rule.stratum}",
            rule.n,
            rule.figure,
            {True: "met", False: "not met", None: "too few sales"}[rule.is_met],
            "verified" if rule.is_verified else "not verified",
        )
        for rule in values["rules"]
    )
    sales = tuple((row["address"], row["price"], row["value"], row["ratio"]) for row in values["sales"])
    return [
        Section(
            f"Against {values['n']:,} usable sales",
            (
                f"Judged: {values['judged_title']}. Each value is brought to the price level of the day of its sale.",
            ),
            (
                Grid("Figures", ("Statistic", "Figure", "95 % interval", "Good"), figures),
                Grid("Median ratio by size", ("Worth", "Sales", "Median ratio", "95 % interval"), sizes),
                Grid("How many sales at which ratio", ("Ratio", "Sales"), bars),
            ),
        ),
        Section(
            "Tests of RCSA 12-62i-3",
            ("Only a verified rule decides.",),
            (Grid("Tests", ("Test", "Sales", "Figure", "Outcome", "Rule"), rules),),
        ),
        Section(
            "Sales furthest from the median",
            (),
            (Grid("Sales", ("Property", "Price", "Value on its day", "Ratio"), sales),),
        ),
    ]


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
