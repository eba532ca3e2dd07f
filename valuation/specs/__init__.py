"""Model specs: versions shared by the region, and which version a town adopted for which list."""
