"""The models of valuation, gathered for Django."""

from valuation.comparables.models import ComparableSet
from valuation.runs.models import Conclusion, Estimate, RatioStudyRecord, Run
from valuation.specs.models import ModelSpec, SpecAdoption

__all__ = ["ComparableSet", "Conclusion", "Estimate", "ModelSpec", "RatioStudyRecord", "Run", "SpecAdoption"]
