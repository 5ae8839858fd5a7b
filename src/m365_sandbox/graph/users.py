"""/me: who signed in."""

from m365_sandbox import automatic_replies
from m365_sandbox.entities import Thing, User
from m365_sandbox.graph.calendars import working_hours
from m365_sandbox.graph.odata import parse_select
from m365_sandbox.graph.routes import GRAPH, Answer, Request, operation

_ALWAYS = (
    "businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation",
    "preferredLanguage", "surname", "userPrincipalName", "id",
)  # fmt: skip

_E3 = "05e9a617-0261-4cee-bb44-138d3ef5d965"  # Microsoft 365 E3 (Learn, licensing-service-plan-reference)


def _shown(user: User) -> dict[str, object]:
    given, _, surname = user.name.partition(" ")
    return {
        "businessPhones": [], "displayName": user.name, "givenName": given, "jobTitle": user.title or None,
        "mail": user.address if user.licensed else None, "mobilePhone": None, "officeLocation": None,
        "preferredLanguage": None, "surname": surname, "userPrincipalName": user.address, "id": user.id,
        "accountEnabled": user.enabled, "userType": "Member", "otherMails": [],
        "proxyAddresses": [f"SMTP:{user.address}", *(f"smtp:{each}" for each in user.aliases)],
        "assignedLicenses": [{"skuId": _E3, "disabledPlans": []}] if user.licensed else [],
    }  # fmt: skip


@operation("GET", "/me")
def me(request: Request) -> Answer:
    shown = _shown(request.user)
    wanted = parse_select(request.query.get("$select")) or list(_ALWAYS)
    by_lower = {name.lower(): name for name in shown}
    names = [by_lower[name.lower()] for name in wanted if name.lower() in by_lower]
    request.served.append({"kind": "user", "id": request.user.id, "fields": names})
    context = f"{GRAPH}/v1.0/$metadata#users/$entity"
    return Answer(body={"@odata.context": context, **{name: shown[name] for name in names}})


@operation("GET", "/me/mailboxsettings")
def mailbox_settings(request: Request) -> Answer:
    kept = request.sandbox.store.things.get(_settings_id(request))
    return Answer(
        body={
            "@odata.context": request.context("mailboxSettings"),
            "timeZone": request.user.time_zone,
            "automaticRepliesSetting": {"status": "disabled"},
            "language": {"locale": "en-US", "displayName": "English (United States)"},
            "userPurpose": "user",
            "dateFormat": "M/d/yyyy",
            "timeFormat": "h:mm tt",
            "workingHours": working_hours(request.sandbox, request.user),
            **(kept.fields if kept else {}),
        }
    )


_SETTINGS = {
    "automaticRepliesSetting", "language", "timeZone", "workingHours", "dateFormat", "timeFormat",
    "delegateMeetingMessageDeliveryOptions",
}  # fmt: skip


def _settings_id(request: Request) -> str:
    return f"{request.user.id}.settings"


@operation("PATCH", "/me/mailboxsettings")
def change_mailbox_settings(request: Request) -> Answer:
    given = {name: value for name, value in request.json().items() if name in _SETTINGS}
    store = request.sandbox.store
    if isinstance(given.get("timeZone"), str):
        request.user.time_zone = given["timeZone"]
        store.save(request.user)
    kept = store.things.get(_settings_id(request)) or Thing(
        _settings_id(request), request.user.id, "settings"
    )
    kept.fields = {**kept.fields, **given}
    if "automaticRepliesSetting" in given:
        automatic_replies.begin_anew(request.sandbox, request.user)
    store.save(kept)
    return mailbox_settings(request)  # type: ignore[return-value]
