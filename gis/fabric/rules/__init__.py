"""Plain rules of the parcel fabric: no Django, no clock, no reading of files.

Shapes are shapely arrays in EPSG:2234 (US survey feet) unless a docstring says otherwise.
"""
