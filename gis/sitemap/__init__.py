"""The small map of a property and its neighbours, drawn without script for the record card."""
