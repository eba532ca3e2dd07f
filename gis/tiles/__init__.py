"""Map tiles: one PMTiles archive for each town and fabric version, for the office map and the tablet."""
