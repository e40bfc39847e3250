"""Who asked for a run, where a service asks on somebody's behalf."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class RequestIdentity(BaseModel):
    """User and session of an API request; ignored by local runs."""

    model_config = ConfigDict(frozen=True)

    user_id: str | None = None
    org_id: str | None = None
    roles: tuple[str, ...] = ()
    client_id: str | None = None
    mode: str = "local"
