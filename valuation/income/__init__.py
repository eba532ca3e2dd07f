"""The income approach: what rented property earns, capitalised at a rate loaded with the town's own taxes."""
