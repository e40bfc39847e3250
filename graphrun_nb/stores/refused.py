"""`Refused`: a value cannot be written so that it comes back as it is."""


class Refused(Exception):
    """The value cannot be written."""
