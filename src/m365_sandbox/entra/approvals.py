"""The admin consent workflow: a user asks, reviewers get mail, one of them decides, the user is told.

Learn, configure-admin-consent-workflow.
"""

from m365_sandbox import delivery, ids, permissions
from m365_sandbox.entities import App, ConsentRequest, Tenant, User
from m365_sandbox.entra import accounts, consent
from m365_sandbox.sandbox import Sandbox

_SENDER = ["Microsoft Security", "MSSecurity-noreply@microsoft.com"]


def ask(sandbox: Sandbox, app: App, user: User, scopes: list[str], justification: str) -> ConsentRequest:
    request = ConsentRequest(ids.guid(), app.id, user.tenant, user.id, scopes, justification, sandbox.now())
    sandbox.store.save(request)
    text = (
        f"{user.name} asks for your approval of {app.name}.\n\nReason: {justification}\n"
        f"Permissions: {', '.join(s for s in scopes if s not in permissions.OIDC)}\n\n"
        f"Review the request within {sandbox.tenant_of(user).approval_days} days."
    )
    for reviewer in reviewers(sandbox, sandbox.tenant_of(user)):
        _write(sandbox, reviewer, f"Request for admin consent: {app.name}", text)
    return request


def reviewers(sandbox: Sandbox, tenant: Tenant) -> list[User]:
    """Those whom the tenant names, else everybody who may approve."""
    if tenant.reviewers:
        return [user for user in map(sandbox.user, tenant.reviewers) if user is not None]
    return list(accounts.approvers(sandbox, tenant))


def state(sandbox: Sandbox, request: ConsentRequest) -> str:
    """waiting, approved, denied, or expired: nobody decided in time."""
    days = sandbox.store.tenants[request.tenant].approval_days
    late = sandbox.now() > request.at + days * 86400
    return "expired" if request.state == "waiting" and late else request.state


def review(sandbox: Sandbox, request: ConsentRequest, decision: str, reviewer: User | None) -> None:
    """Approve for the whole tenant, or deny. Without a reviewer somebody unnamed who may decides.

    Being a reviewer does not make an administrator: to approve takes one of the roles that may consent.
    """
    if decision not in ("approve", "deny"):
        raise ValueError("decision is approve or deny.")
    if state(sandbox, request) != "waiting":
        raise ValueError(f"This request is {state(sandbox, request)}; nothing is left to decide.")
    if reviewer is not None:
        _check(sandbox, request, decision, reviewer)
        request.reviewer = reviewer.id
    app, user = sandbox.store.apps[request.app], sandbox.store.users[request.user]
    request.state = "approved" if decision == "approve" else "denied"
    request.reviewed = sandbox.now()
    sandbox.store.save(request)
    if request.state == "approved":
        consent.grant(sandbox, app, request.tenant, "*", request.scopes)
    _write(sandbox, user, f"Your request for {app.name} was {request.state}", f"{app.name}: {request.state}.")


def _check(sandbox: Sandbox, request: ConsentRequest, decision: str, reviewer: User) -> None:
    tenant = sandbox.store.tenants[request.tenant]
    if reviewer.tenant != tenant.id or reviewer not in reviewers(sandbox, tenant):
        raise ValueError(f"{reviewer.address} does not review requests of {tenant.name}.")
    if decision == "approve" and not accounts.may_approve(sandbox, reviewer):
        raise ValueError(
            f"{reviewer.address} may not approve: the role {reviewer.role!r} cannot consent for all."
        )


def _write(sandbox: Sandbox, user: User, subject: str, text: str) -> None:
    home = accounts.home_of(sandbox, user)
    if home.licensed:
        mail = {
            "mailbox": home.address, "from": _SENDER, "subject": subject, "text": text, "unrelated": True,
            "class": "notification",
        }  # fmt: skip
        delivery.place(sandbox, mail, at=sandbox.now())
