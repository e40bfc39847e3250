"""How a store of an earlier version comes to be out of one of this version."""

_COLUMNS = ("node_id", "no", "seq", "plain")
TO_5 = ("ALTER TABLE runs DROP COLUMN tail",)
TO_4 = (*TO_5, "DROP INDEX waits_plain", *(f"ALTER TABLE waits DROP COLUMN {each}" for each in _COLUMNS))
TO_2 = (*TO_4, "ALTER TABLE runs DROP COLUMN outline")
