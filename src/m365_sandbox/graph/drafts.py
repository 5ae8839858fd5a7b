"""Writing: drafts, their changes, answers, sending."""

import base64
import binascii
from datetime import date
from typing import Any

from m365_sandbox import delivery, notifications, sending
from m365_sandbox.clock import iso
from m365_sandbox.entities import Address, Folder, Message
from m365_sandbox.errors import GraphError, access_denied, malformed, unsupported
from m365_sandbox.graph.folders import the_folder
from m365_sandbox.graph.meetings import word
from m365_sandbox.graph.messages import move, the_message
from m365_sandbox.graph.parts import made
from m365_sandbox.graph.routes import Answer, Request, operation
from m365_sandbox.graph.shape import MessageShape
from m365_sandbox.mail import Letter, keep, letter_from_mime, threading
from m365_sandbox.markup import to_html

MOST_HEADERS, MOST_RECIPIENTS = 5, 500
_DRAFT_ONLY = {
    "subject", "body", "torecipients", "ccrecipients", "bccrecipients", "from", "sender", "replyto",
    "internetmessageid",
}  # fmt: skip


def _caseless(value: dict[str, Any]) -> dict[str, Any]:
    return {name.lower(): item for name, item in value.items()}


def _recipients(request: Request, value: Any) -> list[Address]:
    if not isinstance(value, list):
        raise malformed("A list of recipients was expected.", request.sandbox.switches)
    pairs = []
    for item in value:
        address = item.get("emailAddress") if isinstance(item, dict) else None
        if not isinstance(address, dict) or not isinstance(address.get("address"), str):
            raise malformed("A recipient needs emailAddress.address.", request.sandbox.switches)
        pairs.append([address.get("name") or address["address"], address["address"]])
    return pairs


def _headers(value: Any) -> list[list[str]]:
    """Graph documentation, message resource: at most five, and each begins with x-."""
    if not value or len(value) > MOST_HEADERS:
        raise GraphError(
            400, "InvalidInternetMessageHeaderCollection",
            f"Maximum number of headers in one message should be less than or equal to {MOST_HEADERS}.",
        )  # fmt: skip
    for row in value:
        if not row["name"].lower().startswith("x-"):
            raise GraphError(
                400, "InvalidInternetMessageHeader",
                f"The internet message header name '{row['name']}' should start with 'x-' or 'X-'.",
            )  # fmt: skip
    return [[row["name"], row["value"]] for row in value]


def _properties(request: Request, value: Any) -> dict[str, str]:
    try:
        return {row["id"]: str(row["value"]) for row in value}
    except (TypeError, KeyError):
        raise malformed("An extended property needs id and value.", request.sandbox.switches) from None


def _fields(request: Request, given: dict[str, Any]) -> dict[str, Any]:
    """Message fields (ours) from JSON (theirs); what is unknown is left aside, as Graph does."""
    given = _caseless(given)
    fields: dict[str, Any] = {}
    if "subject" in given:
        fields["subject"] = given["subject"] or ""
    if "body" in given:
        body = _caseless(given["body"] or {})
        kind = word(request, body.get("contenttype", "text"), ("text", "html"))
        fields["body_type"], fields["body"] = kind, body.get("content") or ""
    for theirs, ours in (
        ("torecipients", "to"), ("ccrecipients", "cc"), ("bccrecipients", "bcc"), ("replyto", "reply_to"),
    ):  # fmt: skip
        if theirs in given:
            fields[ours] = _recipients(request, given[theirs])
    if given.get("from"):
        fields["sender"] = _recipients(request, [given["from"]])[0]
    if given.get("internetmessageid"):
        fields["internet_id"] = given["internetmessageid"]
    if "internetmessageheaders" in given:
        fields["headers"] = _headers(given["internetmessageheaders"])
    if "singlevalueextendedproperties" in given:
        fields["properties"] = _properties(request, given["singlevalueextendedproperties"])
    if given.get("importance"):
        fields["importance"] = word(request, given["importance"], ("low", "normal", "high"))
    if "attachments" in given:
        fields["attachments"] = [made(part) for part in given["attachments"]]
    return fields


_MORE = {
    "flag": "flag", "isdeliveryreceiptrequested": "isDeliveryReceiptRequested",
    "isreadreceiptrequested": "isReadReceiptRequested", "inferenceclassification": "inferenceClassification",
}  # fmt: skip


def _more(given: dict[str, Any]) -> dict[str, Any]:
    """What few messages have; kept as it was given."""
    given = _caseless(given)
    return {name: given[theirs] for theirs, name in _MORE.items() if theirs in given}


def _own(request: Request) -> Address:
    return [request.user.name, request.user.address]


def _letter(request: Request, given: dict[str, Any]) -> Letter:
    fields = _fields(request, given)
    return Letter(**{"sender": _own(request), "to": [], "subject": "", "body": "", **fields})


def _mime(request: Request) -> Letter:
    try:
        source = base64.b64decode(request.body, validate=True)
    except binascii.Error:
        raise GraphError(
            400, "ErrorMimeContentInvalidBase64String", "Invalid base64 string for MIME content."
        ) from None
    return letter_from_mime(source, _own(request))


def _is_mime(request: Request) -> bool:
    return request.headers.get("content-type", "").lower().startswith("text/plain")


def _keep_draft(
    request: Request, letter: Letter, folder: Folder | None = None, conversation: str = ""
) -> Message:
    sandbox = request.sandbox
    if request.user.mailbox_full:
        raise GraphError(403, "ErrorQuotaExceeded", "The mailbox has exceeded its quota.")
    folder = folder or sandbox.store.folder(request.user.id, "drafts")
    assert folder is not None
    message = keep(
        sandbox, request.user, folder, letter, at=sandbox.now(), is_draft=True, conversation=conversation
    )
    sandbox.store.record(
        "draft", request.user.address,
        {"internetMessageId": message.internet_id, "at": iso(message.created),
        "properties": message.properties},
    )  # fmt: skip
    notifications.message_changed(sandbox, message, "created")
    return message


def _shown(request: Request, message: Message, status: int) -> Answer:
    shape = MessageShape(request, None, None)
    return Answer(status, {"@odata.context": request.context("messages/$entity"), **shape.show(message)})


@operation("POST", "/me/messages")
def create_draft(request: Request) -> Answer:
    return _create(request, None)


def _create(request: Request, folder: Folder | None) -> Answer:
    if _is_mime(request):
        return _shown(request, _keep_draft(request, _mime(request), folder), 201)
    given = request.json()
    message = _keep_draft(request, _letter(request, given), folder)
    if more := _more(given):
        request.sandbox.store.change_message(message, more=more)
    return _shown(request, message, 201)


@operation("POST", "/me/mailfolders/{id}/messages")
def create_draft_in_folder(request: Request) -> Answer:
    return _create(request, the_folder(request, request.params[0]))


@operation("PATCH", "/me/messages/{id}")
def change_message(request: Request) -> Answer:
    sandbox, given = request.sandbox, request.json()
    message = the_message(request, request.params[0])
    etag = request.headers.get("if-match")
    if etag and etag != f'W/"CQAAABYAAA{message.version}"':
        text = "The send or update operation could not be performed because the change key passed in the "
        raise GraphError(
            412,
            "ErrorIrresolvableConflict",
            text + "request does not match the current change key for the item."
            if sandbox.switches.conflict_text == "documented"
            else "The item was changed meanwhile.",
        )
    if not message.is_draft:
        _check_advanced(request, given)
    fields = _fields(request, {k: v for k, v in given.items() if k.lower() != "internetmessageheaders"})
    if "properties" in fields:
        fields["properties"] = {**message.properties, **fields["properties"]}
    if "isRead" in given:
        fields["is_read"] = bool(given["isRead"])
    if "categories" in given:
        fields["categories"] = list(given["categories"])
    if more := _more(given):
        fields["more"] = {**(message.more or {}), **more}
    sandbox.store.change_message(message, **fields, modified=sandbox.now())
    notifications.message_changed(sandbox, message, "updated")
    return _shown(request, message, 200)


def _check_advanced(request: Request, given: dict[str, Any]) -> None:
    """Exchange Team blog, 2026-03-24: what was sent or received changes only with Mail-Advanced.ReadWrite."""
    touched = {name.lower() for name in given} & _DRAFT_ONLY
    today = iso(request.sandbox.now())[:10]
    after = date.fromisoformat(request.sandbox.switches.mail_advanced_after).isoformat()
    if touched and today >= after and "Mail-Advanced.ReadWrite" not in request.token.scopes:
        raise access_denied()


@operation("DELETE", "/me/messages/{id}")
def delete_message(request: Request) -> Answer:
    """To Deleted Items; from there, or a draft, for good."""
    message = the_message(request, request.params[0])
    deleted_items = the_folder(request, "deleteditems")
    if message.folder == deleted_items.id or message.is_draft:
        _remove(request, message)
    else:
        move(request, message, "deleteditems")
    return Answer(204)


@operation("POST", "/me/messages/{id}/permanentdelete", needs="DELETE /me/messages/{id}")
def delete_for_good(request: Request) -> Answer:
    _remove(request, the_message(request, request.params[0]))
    return Answer(204)


def _remove(request: Request, message: Message) -> None:
    request.sandbox.store.delete_message(message)
    notifications.message_left(
        request.sandbox, request.user.id, message.folder, message.id, message.immutable_id
    )


# Answers


def _reply(request: Request, original: Message, *, to_all: bool) -> tuple[Letter, str]:
    given = _caseless(request.json())
    message = _caseless(given.get("message") or {})
    if given.get("comment") and message.get("body"):
        raise unsupported("Comment and message body cannot both be given.")
    fields = _fields(request, message)
    to = [list(pair) for pair in (original.reply_to or [original.sender])]
    cc: list[Address] = []
    if to_all:
        others = [*original.to, *original.cc]
        cc = [pair for pair in others if pair[1].lower() != request.user.address and pair not in to]
    subject = original.subject if original.subject.lower().startswith("re:") else f"RE: {original.subject}"
    body_type, body = _quoted(original, given.get("comment") or "", fields)
    letter = Letter(
        **{
            "sender": _own(request), "to": to, "cc": cc, "subject": subject, **fields,
            "body": body, "body_type": body_type,
            "headers": [*threading(original), *fields.get("headers", [])],
        }
    )  # fmt: skip
    return letter, original.conversation


def _quoted(original: Message, comment: str, fields: dict[str, Any]) -> tuple[str, str]:
    """What is said, above the original; a body that is given replaces both (Graph: createReply)."""
    if "body" in fields:
        return fields["body_type"], fields["body"]
    name, address = original.sender
    head = f"From: {name} <{address}>\nSent: {iso(original.sent)}\nSubject: {original.subject}"
    if original.body_type == "html":
        mark = '<div id="appendonsend"></div><hr style="display:inline-block;width:98%" tabindex="-1">'
        said = to_html(comment).removesuffix("</body></html>")
        return "html", f'{said}{mark}<div id="divRplyFwdMsg" dir="ltr">{to_html(head)}</div>{original.body}'
    return "text", f"{comment}\n\n________________________________\n{head}\n\n{original.body}"


def _create_reply(request: Request, *, to_all: bool) -> Answer:
    letter, conversation = _reply(request, the_message(request, request.params[0]), to_all=to_all)
    draft = _keep_draft(request, letter, conversation=conversation)
    return _shown(request, draft, request.sandbox.switches.create_reply_status)


@operation("POST", "/me/messages/{id}/createreply")
def create_reply(request: Request) -> Answer:
    return _create_reply(request, to_all=False)


@operation("POST", "/me/messages/{id}/createreplyall")
def create_reply_all(request: Request) -> Answer:
    return _create_reply(request, to_all=True)


def _forward(request: Request, original: Message) -> tuple[Letter, str]:
    """To whom `toRecipients` says, with the original and its attachments."""
    given = _caseless(request.json())
    message = _caseless(given.get("message") or {})
    if given.get("comment") and message.get("body"):
        raise unsupported("Comment and message body cannot both be given.")
    if given.get("torecipients") and message.get("torecipients"):
        raise unsupported("ToRecipients cannot be given twice.")
    fields = _fields(request, message)
    if given.get("torecipients"):
        fields["to"] = _recipients(request, given["torecipients"])
    subject = original.subject if original.subject.lower().startswith("fw:") else f"FW: {original.subject}"
    body_type, body = _quoted(original, given.get("comment") or "", fields)
    letter = Letter(
        **{
            "sender": _own(request), "to": [], "subject": subject, **fields, "body": body, "body_type": body_type,
            "headers": [*threading(original), *fields.get("headers", [])],
            "attachments": [made(part) for part in [*original.attachments, *fields.get("attachments", [])]],
        }
    )  # fmt: skip
    return letter, original.conversation


@operation("POST", "/me/messages/{id}/createforward")
def create_forward(request: Request) -> Answer:
    letter, conversation = _forward(request, the_message(request, request.params[0]))
    draft = _keep_draft(request, letter, conversation=conversation)
    return _shown(request, draft, request.sandbox.switches.create_reply_status)


# Sending


MOST_BYTES_OF_A_SEND = 4 * 1024 * 1024


def _check_limits(request: Request, recipients: int) -> None:
    """What refuses at once: the size of the request, the recipients of a day."""
    switches = request.sandbox.switches
    if len(request.body) > MOST_BYTES_OF_A_SEND and switches.large_send == "refused":
        raise GraphError(413, "ErrorMessageSizeExceeded", "The message exceeds the maximum supported size.")
    if not sending.may_address(request.sandbox, request.user, recipients):
        raise GraphError(
            switches.exceeded_status, "ErrorExceededMessageLimit",
            "Cannot send mail. Daily Message/Recipient limit exceeded for this mailbox.",
        )  # fmt: skip


def _check_sendable(request: Request, letter: Letter) -> None:
    recipients = [*letter.to, *letter.cc, *letter.bcc]
    bad = [address for _, address in recipients if "@" not in address or " " in address]
    if not recipients or bad:
        detail = f", Recipient '{bad[0]}' is not resolved" if bad else ""
        raise GraphError(
            400, "ErrorInvalidRecipients",
            f"At least one recipient is not valid.{detail}. All recipients must be resolved before a message "
            "can be submitted.",
        )  # fmt: skip
    if len(recipients) > MOST_RECIPIENTS:
        raise GraphError(400, "ErrorTooManyRecipients", "The message has too many recipients.")
    if letter.sender[1].lower() not in (request.user.address, *request.user.aliases):
        raise GraphError(
            403, "ErrorSendAsDenied",
            "The user account which was used to submit this request does not have the right to send mail on "
            "behalf of the specified sending account.",
        )  # fmt: skip
    _check_limits(request, len(recipients))


@operation("POST", "/me/messages/{id}/send")
def send_draft(request: Request) -> Answer:
    message = the_message(request, request.params[0])
    waiting = message.submitted > 0 and message.folder != f"{request.user.id}.sentitems"
    if waiting and request.sandbox.switches.second_send == "refused":
        raise GraphError(400, "ErrorInvalidRequest", "The message has already been submitted.")
    if not waiting and not message.is_draft:
        raise GraphError(400, "ErrorInvalidRequest", "The message is not a draft and cannot be sent.")
    _check_sendable(request, delivery.letter_of(message, request.sandbox))
    delivery.submit(request.sandbox, message)
    return Answer(202)


@operation("POST", "/me/sendmail")
def send_mail(request: Request) -> Answer:
    if _is_mime(request):
        letter, save = _mime(request), True
    else:
        given = _caseless(request.json())
        if not isinstance(given.get("message"), dict):
            raise malformed("The parameter Message is required.", request.sandbox.switches)
        letter, save = _letter(request, given["message"]), given.get("savetosentitems", True)
    _check_sendable(request, letter)
    draft = _keep_draft(request, letter, the_folder(request, "outbox"))
    delivery.submit(request.sandbox, draft, save=bool(save))
    return Answer(202)


def _send_reply(request: Request, *, to_all: bool) -> Answer:
    letter, conversation = _reply(request, the_message(request, request.params[0]), to_all=to_all)
    _check_sendable(request, letter)
    draft = _keep_draft(request, letter, the_folder(request, "outbox"), conversation)
    delivery.submit(request.sandbox, draft)
    return Answer(202)


@operation("POST", "/me/messages/{id}/reply")
def reply(request: Request) -> Answer:
    return _send_reply(request, to_all=False)


@operation("POST", "/me/messages/{id}/replyall")
def reply_all(request: Request) -> Answer:
    return _send_reply(request, to_all=True)


@operation("POST", "/me/messages/{id}/forward")
def forward(request: Request) -> Answer:
    letter, conversation = _forward(request, the_message(request, request.params[0]))
    _check_sendable(request, letter)
    draft = _keep_draft(request, letter, the_folder(request, "outbox"), conversation)
    delivery.submit(request.sandbox, draft)
    return Answer(202)
