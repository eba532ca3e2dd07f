"""Addresses of valuation's pages, mounted below ``t/<town>/``."""

from __future__ import annotations

from django.urls import path

from valuation.comparables import pages as comparables
from valuation.income import pages as income
from valuation.income import rates_page
from valuation.reports import pages as reports
from valuation.review import many_pages as many
from valuation.review import pages as review
from valuation.review import study_page
from valuation.runs import pages
from valuation.schedules import pages as schedules

urlpatterns = [
    path("cost-tables/", schedules.cost_tables, name="cost-tables"),
    path("cost-tables/tables.csv", schedules.cost_tables_csv, name="cost-tables-csv"),
    path("cost-tables/edit", schedules.edit_table, name="cost-table-edit"),
    path("cost-tables/<uuid:table_change_id>/", schedules.table_change, name="table-change"),
    path(
        "cost-tables/<uuid:table_change_id>/decide", schedules.decide_table_change, name="table-change-decide"
    ),
    path("cost-tables/<uuid:table_change_id>/count", schedules.count_table_change, name="table-change-count"),
    path("income-rates/", rates_page.income_rates, name="income-rates"),
    path("ratio-studies/", pages.ratio_studies, name="ratio-studies"),
    path("ratio-studies/start", pages.start, name="valuation-start"),
    path("ratio-studies/<uuid:valuation_run_id>/", pages.valuation_run, name="valuation-run"),
    path("properties/<uuid:property_id>/income/", income.income_returns, name="income-returns"),
    path("properties/<uuid:property_id>/comparables/", comparables.comparables, name="comparables"),
    path(
        "properties/<uuid:property_id>/comparables.pdf", comparables.comparables_pdf, name="comparables-pdf"
    ),
    path("ratio-studies/<uuid:valuation_run_id>/review/", review.queue, name="review-queue"),
    path("ratio-studies/<uuid:valuation_run_id>/review/mark", review.mark, name="review-mark"),
    path("ratio-studies/<uuid:valuation_run_id>/factor", many.factor, name="override-factor"),
    path("ratio-studies/<uuid:valuation_run_id>/overrides", many.overrides, name="override-list"),
    path("ratio-studies/<uuid:valuation_run_id>/carry", many.carry, name="override-carry"),
    path("override-batches/<uuid:batch_id>/", many.batch, name="override-batch"),
    path("ratio-studies/<uuid:valuation_run_id>/closing", review.closing, name="closing"),
    path("ratio-studies/<uuid:valuation_run_id>/compare", review.compare, name="compare-runs"),
    path("ratio-studies/<uuid:valuation_run_id>/study", study_page.study, name="ratio-study"),
    path("ratio-studies/<uuid:valuation_run_id>/report", reports.report, name="valuation-report"),
    path("ratio-studies/<uuid:valuation_run_id>/public-file", reports.public, name="public-file"),
    path("conclusions/<uuid:conclusion_id>/", review.conclusion, name="conclusion"),
    path("conclusions/<uuid:conclusion_id>/decide", review.decide, name="conclusion-decide"),
    path("overrides/<uuid:override_id>/decide", review.decide_override, name="override-decide"),
]
