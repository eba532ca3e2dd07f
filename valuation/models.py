"""The models of valuation, gathered for Django."""

from valuation.comparables.models import ComparableSet
from valuation.income.models import IncomeRates, IncomeReturn
from valuation.review.models import Closing, Override
from valuation.runs.models import Conclusion, Estimate, RatioStudyRecord, Run
from valuation.schedules.models import TableChange
from valuation.specs.models import ModelSpec, SpecAdoption

__all__ = [
    "Closing",
    "ComparableSet",
    "Conclusion",
    "Estimate",
    "IncomeRates",
    "IncomeReturn",
    "ModelSpec",
    "Override",
    "RatioStudyRecord",
    "Run",
    "SpecAdoption",
    "TableChange",
]
