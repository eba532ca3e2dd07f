"""The form by which the office draws a package."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone

from fieldsync.packages.models import Package
from fieldsync.packages.rules import Order, Selection, list_year_today, read_identifiers, ten_years_before

# Re-checks are drawn from inspections, on a page of their own.
KINDS = [(kind.value, kind.label) for kind in Package.Kind if kind is not Package.Kind.RECHECK]
SYSTEMS = [
    ("EPSG:4326", "Longitude and latitude (WGS 84, as GeoJSON has it)"),
    ("EPSG:2234", "Connecticut feet (NAD83, EPSG:2234)"),
    ("EPSG:6434", "Connecticut feet (NAD83(2011), EPSG:6434)"),
    ("EPSG:3857", "Web Mercator (EPSG:3857)"),
]


ORDERS = [
    (Order.CHOSEN.value, "As listed or drawn"),
    (Order.STREETS.value, "Street by street, odd then even"),
    (Order.NEAREST.value, "The nearest next"),
]


class _Day(forms.DateInput):
    input_type = "date"


class DrawForm(forms.Form):
    """Which properties, for which list: all that is given must hold."""

    title = forms.CharField(max_length=120)
    kind = forms.ChoiceField(choices=KINDS, initial=Package.Kind.REVALUATION)
    list_year = forms.IntegerField(min_value=1990, max_value=2200, label="For the list of 1 October")
    neighbourhood = forms.CharField(max_length=20, required=False)
    street = forms.CharField(max_length=100, required=False)
    identifiers = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
        label="A list or route: accounts, MBLs or other identifiers, one a line",
    )
    area = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
        label="An area: a GeoJSON polygon, or a box as west, south, east, north",
    )
    area_crs = forms.ChoiceField(choices=SYSTEMS, required=False, label="The area's coordinate system")
    route = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 2}),
        required=False,
        label="A route: a GeoJSON line along the streets, in the same coordinate system",
    )
    parcels_in = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 2}),
        required=False,
        label="Single parcels added, by their keys on the map, one a line",
    )
    parcels_out = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 2}), required=False, label="Parcels left out, one a line"
    )
    permits_from = forms.DateField(widget=_Day, required=False, label="Open permits issued from")
    permits_to = forms.DateField(widget=_Day, required=False, label="Open permits issued to")
    sales_from = forms.DateField(widget=_Day, required=False, label="Sales to verify, recorded from")
    sales_to = forms.DateField(widget=_Day, required=False, label="Sales to verify, recorded to")
    is_overdue = forms.BooleanField(required=False, label="Only those not fully inspected in ten years")
    skip_open = forms.BooleanField(required=False, label="Leave out what is in another open package")
    limit = forms.IntegerField(min_value=1, max_value=5000, initial=200, label="At most so many properties")
    order = forms.ChoiceField(choices=ORDERS, required=False, label="Order of the day")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["list_year"].initial = list_year_today(timezone.localdate())
        for name, field in self.fields.items():
            kinds: dict[type, str] = {
                forms.Select: "usa-select",
                forms.CheckboxInput: "pick",
                forms.Textarea: "usa-textarea",
            }
            kind = kinds.get(type(field.widget), "usa-input")
            field.widget.attrs["class"] = kind
            if self.is_bound and name in self.errors:
                field.widget.attrs["aria-invalid"] = "true"

    def selection(self) -> Selection:
        """Return what was chosen."""
        chosen = self.cleaned_data
        day = timezone.localdate().replace(year=chosen["list_year"], month=10, day=1)
        return Selection(
            identifiers=read_identifiers(chosen["identifiers"]),
            neighbourhood=chosen["neighbourhood"].strip(),
            street=chosen["street"].strip(),
            area=chosen["area"].strip(),
            area_crs=chosen["area_crs"] if chosen["area"].strip() or chosen["route"].strip() else "",
            route=chosen["route"].strip(),
            parcels_in=read_identifiers(chosen["parcels_in"]),
            parcels_out=read_identifiers(chosen["parcels_out"]),
            permits_from=chosen["permits_from"],
            permits_to=chosen["permits_to"],
            sales_from=chosen["sales_from"],
            sales_to=chosen["sales_to"],
            not_inspected_since=ten_years_before(day) if chosen["is_overdue"] else None,
            limit=chosen["limit"],
            skip_open=chosen["skip_open"],
            order=Order(chosen["order"]),
        )
