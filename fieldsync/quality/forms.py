"""The form by which the office draws a re-check."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone

from assessment.region.models import Person
from fieldsync.packages.rules import list_year_today
from fieldsync.quality.rules import LEAST_PERCENT, MOST_PERCENT
from fieldsync.quality.selectors import Batch


class _Day(forms.DateInput):
    input_type = "date"


class RecheckForm(forms.Form):
    """Whose work, of which days, how much of it, and who looks again."""

    first_person = forms.ChoiceField(label="Whose work is looked at again")
    person = forms.ChoiceField(label="Who looks again")
    inspected_from = forms.DateField(widget=_Day, required=False, label="Inspected from")
    inspected_to = forms.DateField(widget=_Day, required=False, label="Inspected to")
    percent = forms.DecimalField(min_value=LEAST_PERCENT, max_value=MOST_PERCENT, initial=LEAST_PERCENT)
    list_year = forms.IntegerField(min_value=1990, max_value=2200, label="For the list of 1 October")
    seed = forms.IntegerField(
        min_value=0, max_value=2**53, required=False, label="Seed, to draw the same again (else a new one)"
    )

    def __init__(self, *args: Any, people: list[Person], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "Choose a person"), *((str(person.id), person.name) for person in people)]
        for name in ("first_person", "person"):
            self.fields[name].choices = choices  # type: ignore[attr-defined]
        self.fields["list_year"].initial = list_year_today(timezone.localdate())
        for field in self.fields.values():
            is_choice = isinstance(field, forms.ChoiceField)
            field.widget.attrs["class"] = "usa-select" if is_choice else "usa-input"

    def batch(self) -> Batch:
        """Return what was chosen."""
        chosen = self.cleaned_data
        return Batch(chosen["first_person"], None, chosen["inspected_from"], chosen["inspected_to"])
