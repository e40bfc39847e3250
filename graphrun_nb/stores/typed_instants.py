"""Instants and times of day as JSON, with their zones: an offset, maybe with a name, or the name of a zone's rules."""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from typing import Any, TypeVar

from graphrun_nb.stores.refused import Refused

_ZONE = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")
_Stamp = TypeVar("_Stamp", dt.datetime, dt.time)


def written(value: dt.datetime | dt.time) -> Any:
    """Return it in ISO format where that says all; else with its fold and zone."""
    zone = value.tzinfo
    if not value.fold and (zone is None or (type(zone) is dt.timezone and _name_of(zone) is None)):
        return value.isoformat()
    return [value.replace(tzinfo=None, fold=0).isoformat(), value.fold, _written_zone(value)]


def instant(body: Any) -> dt.datetime:
    """Return the instant that was written; raises LookupError if its zone is not known here."""
    return _read(dt.datetime, body)


def time_of_day(body: Any) -> dt.time:
    """Return the time of day that was written; raises as `instant`."""
    return _read(dt.time, body)


def _read(kind: type[_Stamp], body: Any) -> _Stamp:
    if isinstance(body, str):
        return kind.fromisoformat(body)
    text, fold, zone = body
    return kind.fromisoformat(text).replace(fold=fold, tzinfo=_zone(zone))


def _written_zone(value: dt.datetime | dt.time) -> Any:
    zone = value.tzinfo
    if zone is None:
        return None
    if type(zone) is dt.timezone:
        offset = zone.utcoffset(None)
        return [offset.days, offset.seconds, offset.microseconds, _name_of(zone)]
    key: str | None = zone.key if type(zone) is zoneinfo.ZoneInfo else None
    if key is None or not _ZONE.fullmatch(key):
        raise Refused
    same = value.replace(tzinfo=zoneinfo.ZoneInfo(key))
    if (same.utcoffset(), same.tzname()) != (value.utcoffset(), value.tzname()):
        raise Refused  # it was made of other rules than its name stands for
    return key


def _zone(written_zone: Any) -> dt.tzinfo | None:
    match written_zone:
        case None:
            return None
        case str(key) if _ZONE.fullmatch(key):
            try:
                return zoneinfo.ZoneInfo(key)
            except (zoneinfo.ZoneInfoNotFoundError, OSError, ValueError) as error:
                raise LookupError(f"it is in the time zone {key!r}, which is not known here") from error
        case [int(days), int(seconds), int(microseconds), None]:
            return dt.timezone(dt.timedelta(days, seconds, microseconds))
        case [int(days), int(seconds), int(microseconds), str(name)]:
            return dt.timezone(dt.timedelta(days, seconds, microseconds), name)
    raise ValueError(f"no time zone is {written_zone!r:.100}")


def _name_of(zone: dt.timezone) -> str | None:
    _, *name = zone.__getinitargs__()  # type: ignore[attr-defined]  # what pickle and copy ask for
    return name[0] if name else None
