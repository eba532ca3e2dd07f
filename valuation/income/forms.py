"""The form by which the office sets a town's figures of the income approach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms

from valuation.income.models import IncomeRates
from valuation.income.rules import default_rates

GROUP_NAMES = {
    "apartment": "Apartments",
    "commercial": "Commercial",
    "industrial": "Industrial",
    "multi": "Two to six families",
}
WEIGHT = "weight"


@dataclass(frozen=True)
class Column:
    """One kind of figure: its heading, the least and the most that it can be, and how it is written."""

    title: str
    least: str
    most: str
    unit: str = " %"


COLUMNS = {
    "rent_dollars": Column("Rent, $ a sq ft and year", "0.01", "10000", "$"),
    "vacancy_percent": Column("Vacancy, %", "0", "99.99"),
    "expense_percent": Column("Expenses, %", "0", "99.99"),
    "reserves_percent": Column("Reserves, %", "0", "99.99"),
    "rate_percent": Column("Rate before tax, %", "0.01", "99.99"),
    "gross_rent_multiplier": Column("Gross rent multiplier", "0.01", "1000", ""),
    WEIGHT: Column("Weight beside cost, %", "0", "100"),
}


class FigureField(forms.DecimalField):
    """A number as people write it: ``$1,250.50`` and ``7.5 %`` are numbers."""

    widget = forms.TextInput

    def to_python(self, value: Any) -> Any:
        """Read it without signs and separators."""
        return super().to_python(value.strip("$% ").replace(",", "") if isinstance(value, str) else value)


def _figure(title: str, least: str, most: str, **more: Any) -> FigureField:
    name = title.removesuffix(", %")  # Django fills in messages by percent signs
    words = f"{name}: a number from {Decimal(least):f} to {Decimal(most):,f}."
    wrong = dict.fromkeys(("invalid", "min_value", "max_value"), words)
    decimals = {"max_decimal_places": f"{name}: at most 4 places.", "max_digits": words}
    field = FigureField(
        label=title, min_value=Decimal(least), max_value=Decimal(most), error_messages=wrong | decimals,
        **{"decimal_places": 4, **more},
    )  # fmt: skip
    field.widget.attrs |= {"inputmode": "decimal", "aria-label": title, "size": "8"}
    return field


class RatesForm(forms.Form):
    """Mill rate, source, and the figures by group; what is left empty is not set by the town."""

    list_year = forms.IntegerField(
        min_value=1990, max_value=2100, label="List year", widget=forms.TextInput,
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"), "List year: four digits, such as 2025."
        ),
    )  # fmt: skip
    source = forms.CharField(
        max_length=400, min_length=3, label="Source of the figures",
        error_messages=dict.fromkeys(
            ("required", "min_length", "max_length"),
            "Source: say in 3 to 400 characters where the figures come from.",
        ),
    )  # fmt: skip
    verified = forms.BooleanField(required=False, label="I have checked these figures against their source")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["mill_rate"] = _figure("Mill rate", "0.001", "199.999", decimal_places=3)
        self.fields["mill_rate"].error_messages["required"] = "Mill rate: the town's, such as 32.46."
        for group in default_rates():
            for name, column in COLUMNS.items():
                if name == "gross_rent_multiplier" and group != "multi":
                    continue  # only two to six families are valued by it
                title = f"{GROUP_NAMES[group]}: {column.title}"
                self.fields[f"{group}-{name}"] = _figure(title, column.least, column.most, required=False)
        for name, field in self.fields.items():
            field.widget.attrs["class"] = "usa-checkbox__input" if name == "verified" else "usa-input"
        self.fields["list_year"].widget.attrs |= {"inputmode": "numeric", "maxlength": "4"}

    @property
    def rows(self) -> list[tuple[str, list[Any]]]:
        """Return each group's name with its fields in the order of the columns; None where there is none."""
        return [
            (
                GROUP_NAMES[group],
                [self[f"{group}-{name}"] if f"{group}-{name}" in self.fields else None for name in COLUMNS],
            )
            for group in default_rates()
        ]

    def figures(self) -> dict[str, Any]:
        """Return what was typed as `set_income_rates` takes it."""
        typed = {
            group: {
                name: float(amount)
                for name in COLUMNS
                if (amount := self.cleaned_data.get(f"{group}-{name}")) is not None
            }
            for group in default_rates()
        }
        weights = {group: row.pop(WEIGHT) for group, row in typed.items() if WEIGHT in row}
        plain = {name: self.cleaned_data[name] for name in ("list_year", "mill_rate", "source", "verified")}
        return {**plain, "rates": {group: row for group, row in typed.items() if row}, "weights": weights}


def initial_of(row: IncomeRates | None, list_year: int) -> Mapping[str, Any]:
    """Return what the form begins with: the town's figures in force, to be kept or changed; no source."""
    if row is None:
        return {"list_year": list_year}
    figures = {f"{group}-{name}": value for group, each in row.rates.items() for name, value in each.items()}
    weights = {f"{group}-{WEIGHT}": value for group, value in row.weights.items()}
    return {"list_year": list_year, "mill_rate": row.mill_rate, **figures, **weights}
