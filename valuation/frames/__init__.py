"""The frame: the facts of properties and sales in one table, as every approach reads them."""
