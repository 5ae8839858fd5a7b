"""Transport: from one mailbox to the others, and what the people there do with it."""

from dataclasses import asdict, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from m365_sandbox import automatic_replies, calendars, ids, inbox_rules, notifications, sending
from m365_sandbox.clock import iso
from m365_sandbox.entities import Action, Folder, Message, User
from m365_sandbox.mail import (
    MESSAGE_CLASS,
    Letter,
    body_hash,
    cited,
    header,
    keep,
    letter_of,
    threading,
)
from m365_sandbox.sandbox import Sandbox

_TOO_MANY = (
    "Your message can't be sent because your organization exceeded its daily limit for sending email to external "
    "recipients (tenant external recipient rate limit)."
)
NDR_LOCAL_PART = "MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e"


def submit(sandbox: Sandbox, message: Message, *, save: bool = True) -> None:
    """`send` was accepted: transport takes the message later, by the clock. Without `save` no copy stays."""
    values: dict[str, Any] = {"submitted": message.submitted + 1}
    if not sandbox.switches.submitted_is_draft:
        values["is_draft"] = False
    sandbox.store.change_message(message, **values)
    user = sandbox.store.users[message.mailbox]
    addresses = [pair[1] for pair in [*message.to, *message.cc, *message.bcc]]
    due = sending.when(sandbox, user, addresses) + sandbox.switches.send_seconds
    sandbox.schedule.add(due, "transport", {"message": message.key, "save": save})


def transport(sandbox: Sandbox, action: Action) -> None:
    """Deliver a submitted message to everybody and move it to Sent Items."""
    message = sandbox.store.messages.get(action.payload["message"])
    if message is None:
        sandbox.store.record("send_cancelled", "", {"message": action.payload["message"]})
        return
    store, at = sandbox.store, action.due
    user = store.users[message.mailbox]
    letter, properties = letter_of(message, sandbox), dict(message.properties)
    if message.sent == 0 or message.is_draft or message.folder != f"{user.id}.sentitems":
        _to_sent_items(sandbox, user, message, at, letter)
    store.record(
        "sent", user.address,
        {
            "internetMessageId": message.internet_id, "subject": message.subject, "to": letter.recipients(),
            "at": iso(at), "properties": properties, "body_sha256": body_hash(message.body),
            "from": message.sender[1].lower(), "conversationId": message.conversation,
        },
    )  # fmt: skip
    deliver(sandbox, user, letter, at=at, properties=properties)
    if not action.payload["save"]:
        store.delete_message(message)


def _to_sent_items(sandbox: Sandbox, user: User, message: Message, at: float, letter: Letter) -> None:
    store = sandbox.store
    draft_folder, draft_id, draft_immutable = message.folder, message.id, message.immutable_id
    values: dict[str, Any] = {
        "is_draft": False, "sent": at, "received": at, "modified": at,
        "headers": [list(h) for h in letter.headers],
    }  # fmt: skip
    changes = sandbox.faults.happens("ids_change", user.address) is not None
    if changes or sandbox.switches.immutable_id_on_send == "changes":
        values["immutable_id"] = ids.immutable_id()
    folder = store.folder(user.id, "sentitems")
    assert folder is not None
    store.move_message(message, folder, ids.item_id(), **values)
    notifications.message_left(sandbox, user.id, draft_folder, draft_id, draft_immutable)
    notifications.message_changed(sandbox, message, "created")


def post(sandbox: Sandbox, user: User, letter: Letter, *, at: float, conversation: str = "") -> Message:
    """Send a letter that a person of the sandbox (or its calendar) writes: Sent Items, then everybody."""
    folder = sandbox.store.folder(user.id, "sentitems")
    assert folder is not None
    copy = keep(sandbox, user, folder, letter, at=at, is_read=True, conversation=conversation)
    notifications.message_changed(sandbox, copy, "created")
    deliver(sandbox, user, letter_of(copy, sandbox), at=at)
    return copy


def deliver(
    sandbox: Sandbox,
    sender: User | None,
    letter: Letter,
    *,
    at: float,
    properties: dict[str, str] | None = None,
) -> None:
    """Into every recipient's Inbox. Unknown addresses of known domains bounce, other domains swallow it."""
    too_many = sender is not None and sending.tenant_is_over(sandbox, sender)
    for address in letter.recipients():
        user = sandbox.user(address)
        fact = {
            "from": letter.sender[1].lower(), "to": address, "subject": letter.subject, "at": iso(at),
            "body_sha256": body_hash(letter.body), "internetMessageId": letter.internet_id,
            "properties": properties or {},
        }  # fmt: skip
        if too_many and sender is not None and sending.is_external(sandbox, sender, address):
            sandbox.store.record("undeliverable", address, fact)
            payload = {
                "sender": sender.id,
                "to": address,
                "status": "5.7.233",
                "text": _TOO_MANY,
                "hard": False,
            }
            _schedule_ndr(sandbox, payload, letter, at + 2)
        elif user is not None and user.mailbox_full:
            sandbox.store.record("undeliverable", address, fact)
            if sender is not None:
                text = f"{address}'s mailbox is full and can't accept messages now."
                payload = {"sender": sender.id, "to": address, "status": "5.2.2", "text": text, "hard": True}
                _schedule_ndr(sandbox, payload, letter, at + 2)
        elif user is not None and user.licensed:
            sandbox.store.record("delivery", address, fact)
            arrive(sandbox, user, letter, at=at)
        elif sandbox.knows_domain(address):
            sandbox.store.record("undeliverable", address, fact)
            if sender is not None:
                text = f"{address} wasn't found at {address.rpartition('@')[2]}."
                payload = {"sender": sender.id, "to": address, "status": "5.1.10", "text": text, "hard": True}
                _schedule_ndr(sandbox, payload, letter, at + 2)
        else:
            sandbox.store.record("external", address, fact)


def arrive(sandbox: Sandbox, user: User, letter: Letter, *, at: float, read: bool = True) -> Message:
    """The letter lies where the mailbox's rules put it, whoever subscribed hears of it, and (if `read`) a person reads it."""
    found = inbox_rules.outcome(_kept(sandbox, user, "rule"), letter, user.address)
    folder = sandbox.store.folder(user.id, found.folder or "inbox") or sandbox.store.folder(user.id, "inbox")
    assert folder is not None
    message = _lies_in(sandbox, user, folder, letter, found, at)
    for name in found.copies:
        if (other := sandbox.store.folder(user.id, name)) is not None:
            _lies_in(sandbox, user, other, letter, found, at)
    _pass_on(sandbox, user, letter, found, at=at)
    if found.gone:
        left, old, immutable = message.folder, message.id, message.immutable_id
        sandbox.store.delete_message(message)
        notifications.message_left(sandbox, user.id, left, old, immutable)
        return message
    if said := automatic_replies.owed(sandbox, user, letter):
        subject = f"Automatic reply: {letter.subject}"
        _answer(
            sandbox, user, message, {"type": "AutoReply", "subject": subject, "html": said, "text": ""}, at=at
        )
    if read:
        _let_person_react(sandbox, user, message)
    return message


def _kept(sandbox: Sandbox, user: User, kind: str) -> list[dict[str, Any]]:
    return [thing.fields for thing in sandbox.store.things_of(user.id, kind)]


def _lies_in(
    sandbox: Sandbox, user: User, folder: Folder, letter: Letter, found: inbox_rules.Outcome, at: float
) -> Message:
    message = keep(sandbox, user, folder, letter, at=at, is_read=found.read)
    date = datetime.fromtimestamp(int(at), UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
    message.headers = [*message.headers, ["Date", date]]
    message.categories = list(found.categories)
    message.importance = found.importance or message.importance
    for override in _kept(sandbox, user, "override"):
        address = str((override.get("senderEmailAddress") or {}).get("address") or "")
        if address.lower() == letter.sender[1].lower():
            message.more = {**(message.more or {}), "inferenceClassification": override["classifyAs"]}
    notifications.message_changed(sandbox, message, "created")
    return message


def _pass_on(sandbox: Sandbox, user: User, letter: Letter, found: inbox_rules.Outcome, *, at: float) -> None:
    """As the rules say: forwarded in the owner's name, redirected in that of who wrote it."""
    passed = replace(
        letter,
        cc=[],
        bcc=[],
        headers=[*letter.headers, [inbox_rules.LOOP, user.address]],
        conversation_key="",
    )
    if found.redirect_to:
        deliver(sandbox, user, replace(passed, to=found.redirect_to), at=at)
    if found.forward_to:
        own = replace(
            passed, sender=[user.name, user.address], to=found.forward_to, subject=f"FW: {letter.subject}",
            internet_id=ids.internet_message_id(user.address.rpartition("@")[2]),
        )  # fmt: skip
        deliver(sandbox, user, own, at=at)


# People


def _let_person_react(sandbox: Sandbox, user: User, message: Message) -> None:
    from m365_sandbox.people import behaviour

    if user.person is None or message.kind:  # an invitation or an answer to one is no letter to answer
        return
    person = behaviour.Person.from_json(user.person)
    thread = [
        _incoming(behaviour, earlier, user, 0)
        for earlier in reversed(sandbox.store.by_conversation(user.id, message.conversation))
        if earlier.key != message.key
    ]
    count = 1 + sum(1 for earlier in thread if earlier.from_address.lower() == message.sender[1].lower())
    incoming = _incoming(behaviour, message, user, count)
    now = datetime.fromtimestamp(message.received, UTC)
    for action in behaviour.react(person, incoming, now=now, thread=thread):
        payload = {
            "type": type(action).__name__, "user": user.id, "message": message.key,
            **{name: _plain(value) for name, value in asdict(action).items()},
        }  # fmt: skip
        sandbox.schedule.add(message.received + action.after.total_seconds(), "person", payload)


def _incoming(behaviour: Any, message: Message, user: User, count: int) -> Any:
    from m365_sandbox.markup import to_text

    is_html = message.body_type == "html"
    values = {
        "from_address": message.sender[1], "from_name": message.sender[0], "to_address": user.address,
        "subject": message.subject, "text": to_text(message.body) if is_html else message.body,
        "html": message.body if is_html else None, "internet_message_id": message.internet_id,
        "references": tuple(cited(message.headers)), "received": datetime.fromtimestamp(message.received,
        UTC),
        "auto_submitted": header(message.headers, "Auto-Submitted").lower() not in ("", "no"),
        "count_from_sender": count,
    }  # fmt: skip
    known = behaviour.Incoming.__dataclass_fields__
    return behaviour.Incoming(**{name: value for name, value in values.items() if name in known})


def _plain(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value


def act(sandbox: Sandbox, action: Action) -> None:
    """A person does what they had decided on."""
    payload = action.payload
    user, message = sandbox.store.users[payload["user"]], sandbox.store.messages.get(payload["message"])
    if message is None:
        return
    match payload["type"]:
        case "SendReply" | "AutoReply":
            _answer(sandbox, user, message, payload, at=action.due)
        case "Bounce":
            _bounce(sandbox, user, message, payload, at=action.due)
        case "BookMeeting":
            _book(sandbox, user, message, payload, at=action.due)
        case "ForwardTo":
            _forward(sandbox, user, message, payload, at=action.due)
        case other:
            raise ValueError(f"A person wants to do {other!r}, which the sandbox does not know.")


def _answer(sandbox: Sandbox, user: User, message: Message, payload: dict[str, Any], *, at: float) -> None:
    automatic = payload["type"] == "AutoReply"
    headers = threading(message)
    if not automatic or sandbox.switches.automatic_reply_headers == "present":
        headers += [[name, value] for name, value in dict(payload.get("headers") or {}).items()]
    properties = {}
    if automatic and sandbox.switches.automatic_reply_headers == "present":
        if not header(headers, "Auto-Submitted"):
            headers.append(["Auto-Submitted", "auto-replied"])
        properties[MESSAGE_CLASS] = "IPM.Note.Rules.OofTemplate.Microsoft"
    address = payload.get("from_address") or user.address
    name = payload.get("from_name") or (user.name if address == user.address else address)
    back = message.reply_to or [message.sender]
    html = payload.get("html")
    letter = Letter(
        sender=[name, address], to=[list(pair) for pair in back],
        cc=[[copy, copy] for copy in payload.get("cc") or []],
        subject=payload["subject"], body=html or payload["text"], body_type="html" if html else "text",
        headers=headers, properties=properties,
        internet_id=ids.internet_message_id(address.rpartition("@")[2]),
    )  # fmt: skip
    fact = {
        "internetMessageId": letter.internet_id, "from": address, "subject": letter.subject, "at": iso(at),
        "inReplyTo": message.internet_id, **dict(payload.get("truth") or {}),
    }  # fmt: skip
    for _, to in letter.to:
        sandbox.store.record("automatic" if automatic else "reply", to.lower(), fact)
    post(sandbox, user, letter, at=at, conversation=message.conversation)


def _bounce(sandbox: Sandbox, user: User, message: Message, payload: dict[str, Any], *, at: float) -> None:
    """The person's server refuses the message, in its own words."""
    sender = sandbox.user(message.sender[1])
    if sender is None:
        return
    given = [[name, value] for name, value in dict(payload.get("headers") or {}).items()]
    domain = user.address.rpartition("@")[2]
    report = Letter(
        sender=[
            payload.get("from_name") or "Mail Delivery System",
            payload.get("from_address") or f"postmaster@{domain}",
        ],
        to=[[user.address, user.address]],
        subject=payload.get("subject") or f"Undeliverable: {message.subject}", body=payload["text"],
        headers=[*threading(message), *given], properties={MESSAGE_CLASS: "REPORT.IPM.Note.NDR"},
        internet_id=ids.internet_message_id(domain),
    )  # fmt: skip
    _report(
        sandbox, sender, report, message.internet_id, user.address, payload["kind"], payload["status"], at=at
    )


def _report(
    sandbox: Sandbox,
    sender: User,
    report: Letter,
    about: str,
    failed: str,
    kind: str,
    status: str,
    *,
    at: float,
) -> None:
    fact = {
        "internetMessageId": report.internet_id, "about": about, "to": failed, "kind": kind, "status": status,
        "at": iso(at),
    }  # fmt: skip
    sandbox.store.record("bounce", sender.address, fact)
    arrive(sandbox, sender, report, at=at)


def _book(sandbox: Sandbox, user: User, message: Message, payload: dict[str, Any], *, at: float) -> None:
    start = at + _seconds(payload["starts_in"])
    start -= start % 900
    calendars.book(
        sandbox, user, [list(message.sender)], subject=payload["subject"], body=payload.get("body") or "",
        start=start, end=start + 60 * payload["duration_minutes"], at=at, booked_by_person=True,
    )  # fmt: skip


def _forward(sandbox: Sandbox, user: User, message: Message, payload: dict[str, Any], *, at: float) -> None:
    """Pass it on. The colleague's answer is an action of its own, so the colleague does not react again."""
    address = payload["address"]
    colleague = sandbox.user(address)
    quoted = message.body if message.body_type == "text" else f"{payload['text']}<br>{message.body}"
    letter = Letter(
        sender=list(message.sender), to=[[address, address]], subject=f"FW: {message.subject}",
        body=f"{payload['text']}\n\n{quoted}" if message.body_type == "text" else quoted,
        body_type=message.body_type, internet_id=message.internet_id, headers=[["Resent-From", user.address]],
    )  # fmt: skip
    fact = {"from": user.address, "to": address, "internetMessageId": message.internet_id, "at": iso(at)}
    sandbox.store.record("forwarded", message.sender[1].lower(), fact)
    if colleague is not None:
        arrive(sandbox, colleague, letter, at=at, read=False)


def _seconds(value: Any) -> float:
    return value.total_seconds() if isinstance(value, timedelta) else float(value)


# Delivery reports


def _schedule_ndr(sandbox: Sandbox, payload: dict[str, Any], letter: Letter, due: float) -> None:
    sandbox.schedule.add(due, "ndr", {**payload, "letter": asdict(letter)})


def ndr(sandbox: Sandbox, action: Action) -> None:
    _ndr(sandbox, action.payload, Letter(**action.payload["letter"]), at=action.due)


def _ndr(sandbox: Sandbox, fields: dict[str, Any], original: Letter, *, at: float) -> None:
    """A delivery report as Exchange writes it, to whoever sent the original."""
    sender, failed = sandbox.store.users[fields["sender"]], fields["to"]
    domain = sandbox.tenant_of(sender).domain
    delayed = not fields["hard"]
    body = (
        f"Delivery has {'been delayed' if delayed else 'failed'} to these recipients or groups:\r\n\r\n"
        f"{failed}\r\n{fields['text']}\r\n\r\nDiagnostic information for administrators:\r\n\r\n"
        f"Generating server: {domain}\r\n\r\n{failed}\r\n"
        f"Remote server returned '{fields['status']} {fields['text']}'\r\n\r\n"
        f"Original message headers:\r\n\r\nMessage-ID: {original.internet_id}\r\n"
        f"Subject: {original.subject}\r\n"
    )
    report = Letter(
        sender=["Microsoft Outlook", f"{NDR_LOCAL_PART}@{domain}"],
        # Graph shows the failed addressee as recipient of a report, although it lies in the sender's Inbox.
        to=[[failed, failed]],
        subject=f"{'Delivery delayed' if delayed else 'Undeliverable'}: {original.subject}",
        body=body,
        headers=[
            ["In-Reply-To", original.internet_id], ["References", original.internet_id],
            ["Auto-Submitted", "auto-replied"], ["Return-Path", "<>"],
            ["X-MS-Exchange-Message-Is-Ndr", ""],
            ["Content-Type", "multipart/report; report-type=delivery-status"],
            ["X-Failed-Recipients", failed],
        ],
        properties={MESSAGE_CLASS: "REPORT.IPM.Note.NDR"},
        internet_id=ids.internet_message_id(domain),
    )  # fmt: skip
    kind = "hard" if fields["hard"] else "soft"
    _report(sandbox, sender, report, original.internet_id, failed, kind, fields["status"], at=at)


# Mail of the seeded world


def arrival(sandbox: Sandbox, action: Action) -> None:
    """Something that was always going to arrive, arrives."""
    place(sandbox, action.payload, at=action.due)


def place(sandbox: Sandbox, mail: dict[str, Any], *, at: float) -> Message:
    """Put a described message (world or control) into the Inbox of `mail["mailbox"]`."""
    user = sandbox.user(mail["mailbox"])
    if user is None:
        raise ValueError(f"There is no mailbox {mail['mailbox']!r}.")
    html = mail.get("html")
    letter = Letter(
        sender=_pair(mail["from"]), to=[_pair(to) for to in mail.get("to") or [user.address]],
        cc=[_pair(cc) for cc in mail.get("cc") or []],
        subject=mail.get("subject") or "", body=html or mail.get("text") or "",
        body_type="html" if html else "text",
        headers=[[name, value] for name, value in dict(mail.get("headers") or {}).items()],
        attachments=[{**part, "id": ids.key()} for part in mail.get("attachments") or []],
        internet_id=mail.get("internet_message_id")
        or ids.internet_message_id(_pair(mail["from"])[1].rpartition("@")[2]),
        conversation_key=mail.get("conversation") or "",
        properties=dict(mail.get("properties") or {}),
        kind=mail.get("kind") or "", meeting=mail.get("meeting") or "",
    )  # fmt: skip
    if mail.get("unrelated"):
        fact = {
            "internetMessageId": letter.internet_id, "class": mail.get("class"), "canary": mail.get("canary"),
            "at": iso(at), "subject": letter.subject,
        }  # fmt: skip
        sandbox.store.record("unrelated", user.address, fact)
    elif mail.get("truth"):
        fact = {
            "internetMessageId": letter.internet_id,
            "from": letter.sender[1],
            "at": iso(at),
            **mail["truth"],
        }
        sandbox.store.record("reply", user.address, fact)
    return arrive(sandbox, user, letter, at=at)


def _pair(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value, value]
    if isinstance(value, dict):
        return [value.get("name") or value["address"], value["address"]]
    return list(value)
