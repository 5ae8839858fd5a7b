"""Smaller services of a mailbox: ids, categories, mail tips, rules, languages and time zones."""

from typing import Any
from zoneinfo import available_timezones

from m365_sandbox import automatic_replies, calendars, ids
from m365_sandbox.entities import Thing
from m365_sandbox.errors import malformed, not_found
from m365_sandbox.graph.listing import counted, listed
from m365_sandbox.graph.routes import Answer, Request, operation

_SETTINGS, _WRITE_SETTINGS = "GET /me/mailboxsettings", "PATCH /me/mailboxsettings"
_MAIL = "GET /me/messages/{id}"
MOST_IDS = 1000
_LANGUAGES = {
    "en-US": "English (United States)", "en-GB": "English (United Kingdom)", "de-DE": "German (Germany)",
    "fr-FR": "French (France)", "es-ES": "Spanish (Spain)", "it-IT": "Italian (Italy)",
    "nl-NL": "Dutch (Netherlands)", "pl-PL": "Polish (Poland)", "pt-PT": "Portuguese (Portugal)",
    "sv-SE": "Swedish (Sweden)",
}  # fmt: skip


def _given(request: Request) -> dict[str, Any]:
    return {name.lower(): value for name, value in request.json().items()}


@operation("POST", "/me/translateexchangeids")
def translate_ids(request: Request) -> Answer:
    """Between ids that change on a move and those that do not: at most 1,000 at once."""
    given = _given(request)
    names, target = given.get("inputids") or [], str(given.get("targetidtype", ""))
    known = {"restid", "restimmutableentryid", "entryid", "ewsid", "immutableentryid"}
    for kind in (target, str(given.get("sourceidtype", ""))):
        if kind.lower() not in known:
            raise malformed(f"Requested value '{kind}' was not found.", request.sandbox.switches)
    if not 0 < len(names) <= MOST_IDS:
        raise malformed(f"InputIds must name from 1 to {MOST_IDS} ids.", request.sandbox.switches)
    return Answer(
        body={
            "@odata.context": request.context("convertIdResult"),
            "value": [_translated(request, str(name), target.lower()) for name in names],
        }
    )


def _translated(request: Request, name: str, target: str) -> dict[str, Any]:
    message = request.sandbox.store.message_by_id(name)
    if message is None or message.mailbox != request.user.id:
        error = {"code": "ErrorInvalidIdMalformed", "message": "Id is malformed."}
        return {"sourceId": name, "errorDetails": error}
    return {"sourceId": name, "targetId": message.immutable_id if "immutable" in target else message.id}


# Categories, rules, overrides: kept, and shown again


def _things(request: Request, kind: str) -> list[dict[str, Any]]:
    return [{"id": t.id, **t.fields} for t in request.sandbox.store.things_of(request.user.id, kind)]


def _the_thing(request: Request, kind: str, name: str) -> Thing:
    thing = request.sandbox.store.things.get(name)
    if thing is None or thing.mailbox != request.user.id or thing.kind != kind:
        raise not_found()
    return thing


def _collection(path: str, kind: str, what: str, fields: dict[str, Any], read: str, write: str) -> None:
    """List, count, add, read, change, remove. `fields` are the members and what they are when not given."""
    place = path.count("{id}")

    def list_them(request: Request) -> Answer:
        return listed(request, what, kind, _things(request, kind))

    def count_them(request: Request) -> Answer:
        return counted(len(_things(request, kind)))

    def add(request: Request) -> Answer:
        given = request.json()
        kept = {name: given.get(name, default) for name, default in fields.items()}
        thing = Thing(ids.guid(), request.user.id, kind, kept)
        request.sandbox.store.save(thing)
        return Answer(201, {"@odata.context": request.context(f"{what}/$entity"), "id": thing.id, **kept})

    def get(request: Request) -> Answer:
        thing = _the_thing(request, kind, request.params[place])
        return Answer(
            body={"@odata.context": request.context(f"{what}/$entity"), "id": thing.id, **thing.fields}
        )

    def change(request: Request) -> Answer:
        thing = _the_thing(request, kind, request.params[place])
        given = {name: value for name, value in request.json().items() if name in fields}
        thing.fields, thing.version = {**thing.fields, **given}, thing.version + 1
        request.sandbox.store.save(thing)
        return get(request)

    def remove(request: Request) -> Answer:
        request.sandbox.store.remove(_the_thing(request, kind, request.params[place]))
        return Answer(204)

    for method, where, handler, needs in (
        ("GET", path, list_them, read), ("GET", f"{path}/$count", count_them, read),
        ("POST", path, add, write), ("GET", f"{path}/{{id}}", get, read),
        ("PATCH", f"{path}/{{id}}", change, write), ("DELETE", f"{path}/{{id}}", remove, write),
    ):  # fmt: skip
        operation(method, where, needs=needs)(handler)


_collection(
    "/me/outlook/mastercategories", "category", "outlook/masterCategories",
    {"displayName": "", "color": "none"}, _SETTINGS, _WRITE_SETTINGS,
)  # fmt: skip
_collection(
    "/me/mailfolders/{id}/messagerules", "rule", "messageRules",
    {
        "displayName": "", "sequence": 1, "isEnabled": True, "hasError": False, "isReadOnly": False,
        "conditions": {}, "actions": {}, "exceptions": None,
    },
    "GET /me/mailfolders/inbox/messagerules", "POST /me/mailfolders/inbox/messagerules",
)  # fmt: skip
_collection(
    "/me/inferenceclassification/overrides", "override", "inferenceClassification/overrides",
    {"classifyAs": "focused", "senderEmailAddress": None}, _MAIL, "PATCH /me/messages/{id}",
)  # fmt: skip


@operation("GET", "/me/inferenceclassification", needs=_MAIL)
def inference_classification(request: Request) -> Answer:
    return Answer(body={"@odata.context": request.context("inferenceClassification"), "id": request.user.id})


@operation("PATCH", "/me/inferenceclassification", needs="PATCH /me/messages/{id}")
def change_inference_classification(request: Request) -> Answer:
    """It has no members of its own but the overrides, which have their paths."""
    return inference_classification(request)  # type: ignore[return-value]


@operation("GET", "/me/outlook", needs=_SETTINGS)
def outlook(request: Request) -> Answer:
    return Answer(body={"@odata.context": request.context("outlook/$entity"), "id": request.user.id})


@operation("GET", "/me/outlook/supportedlanguages", needs="GET /me")
def supported_languages(request: Request) -> Answer:
    value = [{"locale": name, "displayName": text} for name, text in _LANGUAGES.items()]
    return Answer(body={"@odata.context": request.context("localeInfo"), "value": value})


@operation("GET", "/me/outlook/supportedtimezones", needs="GET /me")
def supported_time_zones(request: Request) -> Answer:
    """Windows' names of the zones that the sandbox knows."""
    value = [{"alias": name, "displayName": name} for name in calendars.WINDOWS_ZONES]
    return Answer(body={"@odata.context": request.context("timeZoneInformation"), "value": value})


@operation("GET", "/me/outlook/supportedtimezones/{id}", needs="GET /me")
def supported_time_zones_of_a_standard(request: Request) -> Answer:
    if request.params[0].lower() == "windows":
        return supported_time_zones(request)  # type: ignore[return-value]
    value = [{"alias": name, "displayName": name} for name in sorted(available_timezones())]
    return Answer(body={"@odata.context": request.context("timeZoneInformation"), "value": value})


@operation("POST", "/me/getmailtips", needs=_MAIL)
def mail_tips(request: Request) -> Answer:
    given = _given(request)
    addresses = given.get("emailaddresses")
    if not isinstance(addresses, list) or not addresses:
        raise malformed("EmailAddresses must name at least one address.", request.sandbox.switches)
    value = [_tips(request, str(address)) for address in addresses]
    return Answer(body={"@odata.context": request.context("mailTips"), "value": value})


def _tips(request: Request, address: str) -> dict[str, Any]:
    user = request.sandbox.user(address)
    name = user.name if user else ""
    if user is None and request.sandbox.knows_domain(address):
        error = {"code": "ErrorInvalidRecipients", "message": "The recipient is not valid."}
        return {"emailAddress": {"name": name, "address": address}, "error": error}
    own = address.rpartition("@")[2].lower() == request.user.address.rpartition("@")[2]
    said = automatic_replies.words(request.sandbox, user, request.user.address) if user else ""
    return {
        "emailAddress": {"name": name, "address": address}, "mailboxFull": bool(user and user.mailbox_full), "isModerated": False,
        "deliveryRestricted": False, "maxMessageSize": 37_748_736, "totalMemberCount": 1,
        "externalMemberCount": 0 if own else 1, "recipientScope": "internal" if own else "external",
        "automaticReplies": {"message": said}, "customMailTip": "",
    }  # fmt: skip
