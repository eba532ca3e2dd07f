"""Layers other than parcels: neighbourhoods, zoning, flood zones, census tracts."""
