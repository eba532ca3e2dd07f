"""The app of values."""

from __future__ import annotations

from django.apps import AppConfig


class ValuationConfig(AppConfig):
    """Cost, market, ratio studies, runs and conclusions."""

    name = "valuation"
    verbose_name = "Valuation"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register what valuation adds to the office's pages."""
        from assessment.office import registries as office
        from assessment.region.rules import Permission
        from assessment.roll.proposals import register_proposer
        from valuation.comparables.pages import comparables_panel
        from valuation.income.pages import income_panel
        from valuation.runs.pages import estimates_panel
        from valuation.runs.proposals import propose_conclusions

        register_proposer("valuation", propose_conclusions)
        office.panels.register(
            office.Panel(
                id="valuation.estimates",
                title="How the value was made",
                order=75,
                permission=Permission.VIEW,
                template="valuation/panel_estimates.html",
                context=estimates_panel,
            )
        )
        office.panels.register(
            office.Panel(
                id="valuation.comparables",
                title="Comparable sales",
                order=76,
                permission=Permission.VIEW,
                template="valuation/panel_comparables.html",
                context=comparables_panel,
            )
        )
        office.panels.register(
            office.Panel(
                id="valuation.income",
                title="Income and expenses (confidential)",
                order=77,
                permission=Permission.VIEW_CONFIDENTIAL,
                template="valuation/panel_income.html",
                context=income_panel,
                printed=False,
            )
        )
        office.nav_items.register(
            office.NavItem(
                id="valuation.ratio_studies",
                title="Ratio studies",
                order=55,
                permission=Permission.VIEW,
                url_name="ratio-studies",
                area="ratio-studies",
            )
        )
