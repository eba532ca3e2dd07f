"""The form by which the office draws a package."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone

from fieldsync.packages.models import Package
from fieldsync.packages.rules import Selection, list_year_today, ten_years_before


class DrawForm(forms.Form):
    """Which properties, for which list."""

    title = forms.CharField(max_length=120)
    kind = forms.ChoiceField(choices=Package.Kind.choices, initial=Package.Kind.REVALUATION)
    list_year = forms.IntegerField(min_value=1990, max_value=2200, label="For the list of 1 October")
    neighbourhood = forms.CharField(max_length=20, required=False)
    street = forms.CharField(max_length=100, required=False)
    is_overdue = forms.BooleanField(required=False, label="Only those not fully inspected in ten years")
    limit = forms.IntegerField(min_value=1, max_value=5000, initial=200, label="At most so many properties")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["list_year"].initial = list_year_today(timezone.localdate())
        for name, field in self.fields.items():
            kind = {"kind": "usa-select", "is_overdue": "pick"}.get(name, "usa-input")
            field.widget.attrs["class"] = kind

    def selection(self) -> Selection:
        """Return what was chosen."""
        chosen = self.cleaned_data
        day = timezone.localdate().replace(year=chosen["list_year"], month=10, day=1)
        return Selection(
            neighbourhood=chosen["neighbourhood"].strip(),
            street=chosen["street"].strip(),
            not_inspected_since=ten_years_before(day) if chosen["is_overdue"] else None,
            limit=chosen["limit"],
        )
