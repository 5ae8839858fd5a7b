"""The REST API under /api/v1/: gathers the concepts' endpoints. OpenAPI at /api/v1/openapi.json.

An endpoint calls the same action as the page and the command line.
"""

from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI

from gatepost import __version__
from gatepost.accounts.api import router as accounts
from gatepost.accounts.tokens import Token
from gatepost.alerts.api import router as alerts
from gatepost.contacts.api import router as contacts
from gatepost.conversations.api import router as conversations
from gatepost.erasure.api import router as erasures
from gatepost.errors import GatepostError
from gatepost.mailboxes.api import router as mailboxes
from gatepost.meetings.api import router as meetings
from gatepost.outbox.api import router as outbox
from gatepost.sequences.api import router as sequences
from gatepost.snippets.api import router as snippets

# No interactive page: it would load its script from elsewhere.
api = NinjaAPI(title="Gatepost", version=__version__, auth=Token(), docs_url=None, urls_namespace="api")
for router in (
    accounts,
    mailboxes,
    contacts,
    sequences,
    snippets,
    outbox,
    conversations,
    meetings,
    erasures,
    alerts,
):
    api.add_router("", router)


@api.exception_handler(GatepostError)
def failed(request: HttpRequest, error: GatepostError) -> HttpResponse:
    """The same sentence as on the page, and who can act on it."""
    return api.create_response(
        request, {"error": {"who": error.who, "message": error.message}}, status=error.status
    )


@api.exception_handler(ObjectDoesNotExist)
@api.exception_handler(Http404)
def not_there(request: HttpRequest, error: Exception) -> HttpResponse:
    message = "There is no such thing here, or not in your workspace."
    return api.create_response(request, {"error": {"who": "rep", "message": message}}, status=404)
