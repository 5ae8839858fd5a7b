"""How messages and events look in JSON, field by field."""

import base64
from collections.abc import Callable
from typing import Any

from m365_sandbox.clock import iso
from m365_sandbox.entities import Address, Message
from m365_sandbox.errors import malformed
from m365_sandbox.graph.routes import Request
from m365_sandbox.mail import IN_REPLY_TO, MESSAGE_CLASS, REFERENCES, header
from m365_sandbox.markup import preview, safe, to_text, unique_part

FLAGS = "Integer 0x0E07"
"""PidTagMessageFlags: 8 = not sent yet, 4 = submitted (MS-OXCMSG)."""


def recipient(pair: Address) -> dict[str, Any]:
    return {"emailAddress": {"name": pair[0], "address": pair[1]}}


def attachment(part: dict[str, Any]) -> dict[str, Any]:
    """A file; or, as it was given, a message, event or contact within the message."""
    if part.get("@odata.type", "").endswith("itemAttachment"):
        return {name: value for name, value in part.items() if name != "contentBytes"}
    return {
        "@odata.type": "#microsoft.graph.fileAttachment", "id": part["id"], "name": part.get("name"),
        "contentType": part.get("contentType"), "size": part.get("size", 0),
        "isInline": bool(part.get("isInline")), "contentId": part.get("contentId"),
        "contentBytes": part.get("contentBytes", ""),
    }  # fmt: skip


def _body(request: Request, kind: str, content: str) -> dict[str, str]:
    if kind == "html" and request.wants_text:
        return {"contentType": "text", "content": to_text(content)}
    if kind == "html" and "outlook.allow-unsafe-html" not in request.headers.get("prefer", "").lower():
        content = safe(content)
    return {"contentType": kind, "content": content}


def message_id(request: Request, message: Message) -> str:
    return message.immutable_id if request.immutable else message.id


_Field = Callable[[Request, Message], Any]

MESSAGE_FIELDS: dict[str, _Field] = {
    "id": message_id,
    "createdDateTime": lambda _, m: iso(m.created),
    "lastModifiedDateTime": lambda _, m: iso(m.modified),
    "changeKey": lambda _, m: f"CQAAABYAAA{m.version}",
    "categories": lambda _, m: m.categories,
    "receivedDateTime": lambda _, m: iso(m.received),
    "sentDateTime": lambda _, m: iso(m.sent),
    "hasAttachments": lambda _, m: any(not part.get("isInline") for part in m.attachments),
    "internetMessageId": lambda _, m: m.internet_id,
    "subject": lambda _, m: m.subject,
    "bodyPreview": lambda _, m: preview(m.body_type, m.body),
    "importance": lambda _, m: m.importance,
    "parentFolderId": lambda _, m: m.folder,
    "conversationId": lambda _, m: m.conversation,
    "conversationIndex": lambda _, m: base64.b64encode(m.conversation[:22].encode()).decode(),
    "isDeliveryReceiptRequested": lambda _, m: (m.more or {}).get("isDeliveryReceiptRequested", False),
    "isReadReceiptRequested": lambda _, m: (m.more or {}).get("isReadReceiptRequested", False),
    "isRead": lambda _, m: m.is_read,
    "isDraft": lambda _, m: m.is_draft,
    "webLink": lambda _, m: f"https://outlook.office365.com/owa/?ItemID={m.id}&exvsurl=1",
    "inferenceClassification": lambda _, m: (m.more or {}).get("inferenceClassification", "focused"),
    "body": lambda r, m: _body(r, m.body_type, m.body),
    "sender": lambda _, m: recipient(m.sender),
    "from": lambda _, m: recipient(m.sender),
    "toRecipients": lambda _, m: [recipient(pair) for pair in m.to],
    "ccRecipients": lambda _, m: [recipient(pair) for pair in m.cc],
    "bccRecipients": lambda _, m: [recipient(pair) for pair in m.bcc],
    "replyTo": lambda _, m: [recipient(pair) for pair in m.reply_to],
    "flag": lambda _, m: (m.more or {}).get("flag") or {"flagStatus": "notFlagged"},
}
_ONLY_SELECTED: dict[str, _Field] = {
    "uniqueBody": lambda r, m: _body(r, m.body_type, unique_part(m.body_type, m.body)),
    "internetMessageHeaders": lambda _, m: all_headers(m),
}
_EVERY_FIELD = {name.lower(): (name, make) for name, make in {**MESSAGE_FIELDS, **_ONLY_SELECTED}.items()}
_NOT_BASIC = {"body", "bodypreview", "uniquebody"}
"""What Mail.ReadBasic leaves out."""


def all_headers(message: Message) -> list[dict[str, str]]:
    pairs = [
        ["From", f"{message.sender[0]} <{message.sender[1]}>"],
        ["To", ", ".join(address for _, address in message.to)],
        ["Subject", message.subject],
        ["Message-ID", message.internet_id],
        *message.headers,
    ]
    return [{"name": name, "value": value} for name, value in pairs]


def extended(message: Message, name: str) -> str | None:
    """An extended property's value: one that was set, or one that Exchange computes."""
    if name in message.properties:
        return message.properties[name]
    folded = name.lower()
    if folded == IN_REPLY_TO.lower():
        return header(message.headers, "In-Reply-To") or None
    if folded == REFERENCES.lower():
        return header(message.headers, "References") or None
    if folded == FLAGS.lower():
        return str((8 if message.is_draft and not message.submitted else 0) | (4 if message.submitted else 0))
    if folded == MESSAGE_CLASS.lower():
        return "IPM.Note" if not message.kind else f"IPM.Schedule.{message.kind}"
    alike = _property_id(name)
    return next((value for have, value in message.properties.items() if _property_id(have) == alike), None)


def _property_id(text: str) -> str:
    """Type, set and number are the same in any case; a name is not."""
    kind, name, own = text.partition(" Name ")
    return kind.lower() + name + own


class MessageShape:
    """Which fields of a message an answer shows; made once for a request, used for each message."""

    def __init__(
        self, request: Request, select: list[str] | None, expand: list[str] | None, *, in_list: bool = False
    ) -> None:
        self._request = request
        self._expand = expand
        if select is None:
            self._fields = list(MESSAGE_FIELDS.items())
        else:
            self._fields = [self._field(name) for name in select]
            if all(name != "id" for name, _ in self._fields):
                self._fields.insert(0, ("id", message_id))
        if in_list and request.sandbox.switches.list_headers == "omitted":
            self._fields = [pair for pair in self._fields if pair[0] != "internetMessageHeaders"]
        if not _reads_bodies(request):
            self._fields = [pair for pair in self._fields if pair[0].lower() not in _NOT_BASIC]
            self._expand = None
        self.names = [name for name, _ in self._fields]
        if self._expand:
            self.names.append("singleValueExtendedProperties")

    def _field(self, name: str) -> tuple[str, _Field]:
        found = _EVERY_FIELD.get(name.lower())
        if found is None:
            raise malformed(
                f"Could not find a property named '{name}' on type 'Microsoft.OutlookServices.Message'.",
                self._request.sandbox.switches,
            )
        return found

    def show(self, message: Message) -> dict[str, Any]:
        request = self._request
        shown: dict[str, Any] = {"@odata.etag": f'W/"CQAAABYAAA{message.version}"'}
        if message.kind:
            shown["@odata.type"] = f"#microsoft.graph.{message.kind}"
        for name, make in self._fields:
            shown[name] = make(request, message)
        if self._expand:
            pairs = [(name, extended(message, name)) for name in self._expand]
            values = [{"id": name, "value": value} for name, value in pairs if value is not None]
            if values:
                shown["singleValueExtendedProperties"] = values
        if message.kind and "subject" in shown:
            shown |= meeting_fields(request, message)
        if request.sandbox.switches.log_items:
            request.served.append(
                {
                    "kind": "message", "id": message_id(request, message), "fields": self.names,
                    "internetMessageId": message.internet_id,
                }
            )  # fmt: skip
        return shown


def meeting_fields(request: Request, message: Message) -> dict[str, Any]:
    """What an eventMessage shows of its event: https://learn.microsoft.com/graph/api/resources/eventmessage"""
    shown: dict[str, Any] = {"meetingMessageType": message.meeting or "none"}
    copies = [copy for copy in request.sandbox.store.copies(message.event) if message.event]
    event = next((copy for copy in copies if copy.mailbox == message.mailbox and not copy.date), None)
    if event is None:
        return shown
    shown |= {
        "type": "seriesMaster" if event.recurrence else "singleInstance", "isAllDay": event.all_day,
        "isOutOfDate": message.modified < event.modified and message.kind == "eventMessageRequest",
        "isDelegated": False, "recurrence": event.recurrence,
        "startDateTime": _utc(event.start), "endDateTime": _utc(event.end),
        "location": {"displayName": event.location, "locationType": "default"},
    }  # fmt: skip
    if message.kind == "eventMessageRequest":
        new = message.subject.startswith("FW:") or event.version <= 2
        shown |= {
            "meetingRequestType": "newMeetingRequest" if new else "fullUpdate",
            "responseRequested": event.response_requested, "allowNewTimeProposals": True,
        }  # fmt: skip
    if message.kind == "eventMessageResponse":
        said = message.meeting.removeprefix("meeting")
        shown["responseType"] = {"Accepted": "accepted", "Declined": "declined"}.get(
            said, "tentativelyAccepted"
        )
    return shown


def _utc(seconds: float) -> dict[str, str]:
    return {"dateTime": iso(seconds)[:19] + ".0000000", "timeZone": "UTC"}


def _reads_bodies(request: Request) -> bool:
    return any(name in ("Mail.Read", "Mail.ReadWrite") for name in request.token.scopes)
