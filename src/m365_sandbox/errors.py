"""Refusals, in the forms in which Entra ID and Graph write them."""

import json
import re
import uuid
from pathlib import Path
from typing import Any

from m365_sandbox.clock import iso
from m365_sandbox.switches import Switches


class GraphError(Exception):
    """Graph refuses the request: HTTP status, code, message."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers or {}

    def body(self, now: float, request_id: str, client_request_id: str, member: str) -> dict[str, Any]:
        inner = {
            "date": iso(now).removesuffix("Z"),
            "request-id": request_id,
            "client-request-id": client_request_id,
        }
        return {"error": {"code": self.code, "message": self.message, member: inner}}


def not_found() -> GraphError:
    return GraphError(404, "ErrorItemNotFound", "The specified object was not found in the store.")


def access_denied() -> GraphError:
    return GraphError(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")


def malformed(message: str, switches: Switches | None = None) -> GraphError:
    return GraphError(400, switches.malformed_code if switches else "BadRequest", message)


def unsupported(message: str = "The OData request is not supported.") -> GraphError:
    return GraphError(400, "ErrorInvalidRequest", message)


# Texts: learn.microsoft.com, "Microsoft Entra authentication and authorization error codes" (CC BY 4.0).
# Which status and suberror belong to a code is seldom documented.
_TABLE = json.loads(Path(__file__).with_name("entra_errors.json").read_bytes())
_ENTRA = {row["code"]: row for row in _TABLE["errors"] + _TABLE["also"]}
ENTRA_CODES: dict[int, list[str]] = {code: row["where"] for code, row in _ENTRA.items()}
"""By AADSTS code, where it shows: on the page, in the redirect, at the token endpoint."""


class EntraError(Exception):
    """Entra ID refuses: an AADSTS code, whose text and OAuth error come from Microsoft's list."""

    def __init__(self, code: int, *, claims: str = "", **details: str) -> None:
        row = _ENTRA[code]
        self.code, self.claims = code, claims
        self.error: str = row["oauth_error"] or "invalid_request"
        self.status: int = row["http_status"] or 400
        self.suberror: str | None = row["suberror"]
        known = {"resource": "00000003-0000-0000-c000-000000000000", **details}
        text = re.sub(r"\{(\w+)\}", lambda gap: known.get(gap[1], gap[1]), row["text"])
        self.text = f"AADSTS{code}: {text}"
        super().__init__(self.text)

    def http_status(self, switches: Switches) -> int:
        changed = switches.aadsts.get(str(self.code), {}).get("status")
        return int(
            changed or (switches.invalid_client_status if self.error == "invalid_client" else self.status)
        )

    def where(self, usual: str, switches: Switches) -> str:
        """Page, redirect or token: `usual`, unless the switch `aadsts` says otherwise."""
        return str(switches.aadsts.get(str(self.code), {}).get("where", usual))

    def body(self, now: float, switches: Switches) -> dict[str, Any]:
        trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
        stamp = iso(now).replace("T", " ")
        parts = [self.text, f"Trace ID: {trace}", f"Correlation ID: {correlation}", f"Timestamp: {stamp}"]
        body = {
            "error": self.error,
            "error_description": ("\r\n" if switches.error_trailer == "lines" else " ").join(parts),
            "error_codes": [self.code],
            "timestamp": stamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.code}",
        }
        changed = switches.aadsts.get(str(self.code), {})
        body["error"] = changed.get("error", self.error)
        suberror = changed.get("suberror", self.suberror)
        if suberror:
            body["suberror"] = suberror
        if self.claims:
            body["claims"] = self.claims
        return body
