"""The page of a run: composed from its record, exported, its links checked, packed to pass on."""
