"""Units that a source may use, as factors to the record's own."""

from decimal import Decimal

# To the unit of the record: acres for land, square feet for floors, dollars for money, share for percentages.
FACTORS: dict[str, Decimal] = {
    "acres": Decimal(1),
    "land_sqft": 1 / Decimal(43_560),
    "hectares": Decimal("2.471053814671653"),
    "sqft": Decimal(1),
    "square_metres": Decimal("10.76391041670972"),
    "dollars": Decimal(1),
    "thousand_dollars": Decimal(1000),
    "percent": Decimal(1),
    "share": Decimal(100),
}
