"""The guided page on which an administrator registers Gatepost at Microsoft, each step looked at."""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from gatepost import clock
from gatepost.accounts.membership import page
from gatepost.isolation import inside
from gatepost.mailboxes import queries, rules
from gatepost.mailboxes.models import Mailbox, Subscription
from gatepost.mailboxes.registration import Finding, given, look, may_ask, of_microsoft, of_settings


@page(administer=True)
def registration(request: Any) -> HttpResponse:
    """Opened, it says what is plain; by POST it also asks Microsoft, which is no part of any transaction."""
    ours = given()
    found = of_settings(ours, today=datetime.now(UTC).date())
    looked = request.method == "POST"
    if looked and may_ask(ours):
        found += of_microsoft(look(), ours)
    with inside(request.workspace.id):
        found.append(_permissions())
        if settings.GATEPOST_HOOKS_URL:
            found.append(_notifications())
        context = {
            "given": ours,
            "findings": {
                step: [each for each in found if each.step == step] for step in {each.step for each in found}
            },
            "bad": sum(each.state == "bad" for each in found),
            "looked": looked,
            "may_ask": may_ask(ours),
            "permissions": rules.PERMISSIONS,
            "hooks_url": settings.GATEPOST_HOOKS_URL,
            "sync_minutes": max(1, settings.GATEPOST_SYNC_EVERY // 60),
        }
        return render(request, "mailboxes/registration.html", context)


def _permissions() -> Finding:
    """Only a mailbox that was connected shows what a registration may ask for."""
    newest = (
        Mailbox.objects.filter(state=Mailbox.State.CONNECTED)
        .select_related("member", "workspace")
        .order_by("-connected_at")
        .first()
    )
    name = _("permissions")
    if newest is None:
        return Finding("permissions", name, "unseen", _("the first connected mailbox will show them."))
    missing = ", ".join(permission.scope for permission in queries.row_of(newest).missing)
    if missing:
        text = _(
            "the mailbox connected last was not granted %(scopes)s: add them here, and connect it again."
        )
        return Finding("permissions", name, "bad", text % {"scopes": missing})
    return Finding("permissions", name, "good", _("the mailbox connected last was granted all of them."))


def _notifications() -> Finding:
    """Microsoft's own test of the address is made when the first mailbox subscribes."""
    name = _("Microsoft's test")
    live = Subscription.objects.filter(microsoft_id__isnull=False, expires_at__gt=clock.now()).exists()
    refused = Subscription.objects.filter(microsoft_id__isnull=True).exclude(problem="").first()
    if live:
        return Finding("notifications", name, "good", _("was passed; it notifies us."))
    if refused is not None:
        text = _(
            "failed: %(problem)s. Let the proxy lead this address to the hooks, with a trusted certificate."
        )
        return Finding("notifications", name, "bad", text % {"problem": refused.problem})
    return Finding("notifications", name, "unseen", _("is made when the first mailbox is connected."))
