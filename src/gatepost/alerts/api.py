"""Alerts over the API."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema

from gatepost.accounts.tokens import caller, reads
from gatepost.alerts import queries
from gatepost.alerts.models import Alert
from gatepost.web.api import Listing, listing

router = Router(tags=["alerts"])


class AlertOut(Schema):
    id: UUID
    at: datetime
    cause: str
    reason: str
    texts: int
    member_id: UUID
    token_id: UUID | None
    mailbox_ids: list[UUID]


@router.get("/alerts", response=Listing[AlertOut], summary="List alerts of unusual access, newest first")
@reads
def alerts(request: HttpRequest, after: str = "") -> dict[str, Any]:
    return listing(queries.alerts(caller(request).member), by="at", after=after, shown=_shown)


def _shown(alert: Alert) -> dict[str, Any]:
    return {name: getattr(alert, name) for name in AlertOut.model_fields}
