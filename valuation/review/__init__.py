"""What a person concludes beside the run: overrides, review marks, the gate before posting."""
