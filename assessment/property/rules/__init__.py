"""Pure rules of the record: sketches, merge policies, invariants."""
