"""What load balancers and `gatepost doctor` ask of the pages' process, whatever name they ask it by.

/health/live   200 while the process answers. It says how a request arrives here, so that a proxy can be judged.
/health/ready  200 when pages can be shown: the database answers with this version's tables, and the keystore too;
               else 503, with what is missing.
"""

import hashlib
import hmac
from collections.abc import Callable

import psycopg
from django.conf import settings
from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

from gatepost.errors import GatepostError
from gatepost.vault import keys

LIVE, READY = "/health/live", "/health/ready"


class HealthMiddleware:
    """Stands before everything that asks for a session, a host name or the database."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._tables_fit = False

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == LIVE:
            return _said({
                "status": "ok", "installation": installation_mark(), "https": request.is_secure(),
                "host": request.META.get("HTTP_HOST", ""),
            })  # fmt: skip
        if request.path == READY:
            missing = self._missing()
            return _said({"status": "not ready", "missing": missing} if missing else {"status": "ok"})
        return self.get_response(request)

    def _missing(self) -> str:
        """What pages would lack; empty when nothing."""
        try:
            connection = connections["default"]
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            if not self._tables_fit:
                executor = MigrationExecutor(connection)
                self._tables_fit = not executor.migration_plan(executor.loader.graph.leaf_nodes())
            if not self._tables_fit:
                return "tables"
        except DatabaseError:
            return "database"
        try:
            keys.installation_index_key("connect-state")
        except (GatepostError, psycopg.Error):
            return "keystore"
        return ""


def installation_mark() -> str:
    """The same for all processes of an installation, another for every other one. It tells nothing."""
    return hmac.new(settings.SECRET_KEY.encode(), b"health", hashlib.sha256).hexdigest()[:16]


def _said(body: dict[str, object]) -> JsonResponse:
    response = JsonResponse(body, status=200 if body["status"] == "ok" else 503)
    response["Cache-Control"] = "no-store"
    return response
