"""The market approach: what sales say a property would bring, with no tables in between."""
