"""Backup, restore and their drill.

A backup is a folder: the database as one snapshot, the files by their hash, the certifications, the keys
encrypted to the region's age recipients, and a manifest with a hash for every file and a count and a hash for
every table.
"""
