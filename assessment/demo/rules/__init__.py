"""Rules of the demonstration: what is generated where no source has it. Plain Python, seeded."""
