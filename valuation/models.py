"""The models of valuation, gathered for Django."""

from valuation.runs.models import Conclusion, Estimate, RatioStudyRecord, Run
from valuation.specs.models import ModelSpec, SpecAdoption

__all__ = ["Conclusion", "Estimate", "ModelSpec", "RatioStudyRecord", "Run", "SpecAdoption"]
