"""The closed list: every request that can ever be made of Microsoft Graph, with its exact fields.

There is no shape for attachments, MIME, search, previews, rich notifications or headers of unmatched mail,
so none of these can be asked for. docs/permissions.md is made from this list.
"""

import re
from dataclasses import dataclass
from functools import cached_property

IN_REPLY_TO = "String 0x1042"
REFERENCES = "String 0x1039"
# Named properties are a finite resource of each mailbox: one fixed GUID, few names.
SEND_KEY = "String {8a3f7a52-51c5-4b0e-9f0e-6a1d3c9b7e24} Name GatepostSendKey"
SEND_NUMBER = "String {8a3f7a52-51c5-4b0e-9f0e-6a1d3c9b7e24} Name GatepostSendNumber"
SEND_GUARD = "String {8a3f7a52-51c5-4b0e-9f0e-6a1d3c9b7e24} Name GatepostSendGuard"
# PidTagMessageFlags: whether Exchange has taken a draft over (MS-OXCMSG).
MESSAGE_FLAGS = "Integer 0x0E07"
BRIEF_KEY = "String {8a3f7a52-51c5-4b0e-9f0e-6a1d3c9b7e24} Name GatepostBriefKey"

IMMUTABLE = 'IdType="ImmutableId"'
UTC = 'outlook.timezone="UTC"'
REFERENCE_PROPERTIES = f"singleValueExtendedProperties($filter=id eq '{IN_REPLY_TO}' or id eq '{REFERENCES}')"
ENVELOPE = "id,conversationId,internetMessageId,receivedDateTime"
# An envelope has half a kilobyte. A page costs a request and a transaction, however much is on it.
ENVELOPES_AT_ONCE = "odata.maxpagesize=250"
DRAFT = "id,isDraft,internetMessageId,conversationId,changeKey,createdDateTime,sentDateTime"
STAMPS = f"singleValueExtendedProperties($filter=id eq '{SEND_KEY}' or id eq '{SEND_NUMBER}' or id eq '{SEND_GUARD}')"
SUBSCRIPTION = frozenset(
    {
        "changeType",
        "notificationUrl",
        "lifecycleNotificationUrl",
        "resource",
        "expirationDateTime",
        "clientState",
    }
)
FOLDER = "id,parentFolderId,isHidden,totalItemCount,unreadItemCount"
EVENT = (
    "id,iCalUId,changeKey,createdDateTime,lastModifiedDateTime,start,end,isAllDay,isCancelled,showAs,organizer,attendees,"
    "responseStatus,sensitivity,seriesMasterId"
)


@dataclass(frozen=True)
class Shape:
    """One kind of request: method, path, exact query and preferences, and the scope that allows it."""

    name: str
    method: str
    path: str
    scope: str
    why: str
    query: tuple[tuple[str, str], ...] = ()
    prefer: tuple[str, ...] = (IMMUTABLE,)
    body: frozenset[str] = frozenset()  # the members that its JSON body may have
    follows_links: bool = False  # Microsoft's nextLink and deltaLink of this request may be followed
    mime: bool = False  # its body is a whole mail in MIME, base64
    once: bool = False  # not even a definite no (401) is answered by asking again

    @property
    def is_write(self) -> bool:
        return self.method != "GET"

    @cached_property
    def path_pattern(self) -> "re.Pattern[str]":
        parts = [r"[^/]+" if part.startswith("{") else re.escape(part) for part in self.path.split("/")]
        # Microsoft writes functions with and without (); both lead to the same place.
        return re.compile("^/v1.0" + "/".join(parts) + r"(\(\))?$", re.IGNORECASE)


_ALL = (
    # Who is this, and can the mailbox be used?
    Shape(
        "profile", "GET", "/me", "User.Read", "to know whose mailbox was connected",
        query=(("$select", "id,displayName,mail,userPrincipalName,proxyAddresses"),),
    ),
    Shape(
        "licences", "GET", "/me", "User.Read",
        "to tell a missing licence from a mailbox on the company's own servers, where no mailbox answers",
        query=(("$select", "assignedLicenses"),),
    ),
    Shape(
        "inbox.check", "GET", "/me/mailFolders/inbox", "Mail.Read", "to see that the mailbox can be used",
        query=(("$select", "id"),),
    ),
    Shape(
        "folder.check", "GET", "/me/mailFolders/{folder}", "Mail.Read",
        "to see that a folder can be read, and to tell drafts, deleted items and the like from folders that receive mail",
        query=(("$select", "id"),),
    ),
    Shape(
        "changes.check", "GET", "/me/mailFolders/inbox/messages/delta", "Mail.Read",
        "to see that the inbox tells what is new: ids only, of mail that comes in this moment",
        query=(("$select", "id"), ("$filter", "receivedDateTime ge {since}")),
        prefer=(IMMUTABLE, "odata.maxpagesize=1"),
    ),
    Shape(
        "calendar.check", "GET", "/me/calendar", "Calendars.Read", "to see that the calendar can be read",
        query=(("$select", "id"),),
    ),
    # Reading: where mail lies. Names of folders are the rep's own words; there is no request for them.
    Shape(
        "folders", "GET", "/me/mailFolders/delta", "Mail.Read",
        "to find replies that a rule moved: ids of the folders and how many mails lie in each, no names",
        query=(("$select", FOLDER),),
        prefer=(IMMUTABLE, "odata.maxpagesize=200"),
        follows_links=True,
    ),
    # Reading, stage 1: ids and references only.
    Shape(
        "envelopes", "GET", "/me/mailFolders/{folder}/messages/delta", "Mail.Read",
        "to notice that mail arrived: ids, references and time, no sender, subject or text",
        query=(
            ("$select", ENVELOPE),
            ("$expand", REFERENCE_PROPERTIES),
            ("$filter", "receivedDateTime ge {since}"),
        ),
        prefer=(IMMUTABLE, ENVELOPES_AT_ONCE),
        follows_links=True,
    ),
    Shape(
        "envelopes.plain", "GET", "/me/mailFolders/{folder}/messages/delta", "Mail.Read",
        "the same where Microsoft refuses $expand here",
        query=(("$select", ENVELOPE), ("$filter", "receivedDateTime ge {since}")),
        prefer=(IMMUTABLE, ENVELOPES_AT_ONCE),
        follows_links=True,
    ),
    Shape(
        "envelopes.count", "GET", "/me/mailFolders/{folder}/messages", "Mail.Read",
        "whether that list told of every mail: their number, and the id of one",
        query=(("$select", "id"), ("$filter", "receivedDateTime ge {since}"), ("$count", "true"), ("$top", "1")),
    ),
    Shape(
        "envelopes.all", "GET", "/me/mailFolders/{folder}/messages", "Mail.Read",
        "what it left out, where it told of fewer: the same fields",
        query=(
            ("$select", ENVELOPE),
            ("$expand", REFERENCE_PROPERTIES),
            ("$filter", "receivedDateTime ge {since}"),
            ("$orderby", "receivedDateTime"),
            ("$top", "100"),
        ),
        follows_links=True,
    ),
    Shape(
        "envelope", "GET", "/me/messages/{id}", "Mail.Read",
        "the references of one new mail, where the list did not carry them",
        query=(("$select", ENVELOPE), ("$expand", REFERENCE_PROPERTIES)),
    ),
    # Stage 1b: the sender, of mail that refers to ours.
    Shape(
        "sender", "GET", "/me/messages/{id}", "Mail.Read",
        "who wrote a mail that refers to one of ours, to leave colleagues' mail unread",
        query=(("$select", "from,sender,toRecipients,isDraft"),),
    ),
    # Stage 2: the new text of a matched reply.
    Shape(
        "reply", "GET", "/me/messages/{id}", "Mail.Read", "the text of a reply to a mail of a sequence",
        query=(("$select", "uniqueBody,subject,receivedDateTime,internetMessageHeaders"),),
        # As it is, mostly HTML: what a style hides from its reader is told apart here (text.sight). In a conversion to
        # text it would stand among what was written.
        prefer=(IMMUTABLE,),
    ),
    # Sending: our own drafts and nothing else.
    Shape(
        "draft.find", "GET", "/me/messages", "Mail.Read", "whether this step's mail exists already",
        query=(
            ("$filter", f"singleValueExtendedProperties/Any(ep: ep/id eq '{SEND_KEY}' and ep/value eq '{{key}}')"),
            ("$select", DRAFT),
        ),
    ),
    Shape(
        "draft.find-by-message-id", "GET", "/me/messages", "Mail.Read", "where our own mail is now",
        query=(("$filter", "internetMessageId eq '{message_id}'"), ("$select", DRAFT)),
    ),
    Shape(
        "draft.look", "GET", "/me/messages/{id}", "Mail.Read",
        "whether our own draft was sent, or taken over by Exchange",
        query=(
            ("$select", DRAFT),
            ("$expand", f"singleValueExtendedProperties($filter=id eq '{MESSAGE_FLAGS}')"),
        ),
    ),
    Shape(
        "draft.look.plain", "GET", "/me/messages/{id}", "Mail.Read",
        "the same where Microsoft refuses $expand here",
        query=(("$select", DRAFT),),
    ),
    Shape(
        "draft.read", "GET", "/me/messages/{id}", "Mail.Read",
        "whether our own draft still says what we wrote, or was changed by hand",
        query=(("$select", f"{DRAFT},subject,body,toRecipients"), ("$expand", STAMPS)),
    ),
    Shape(
        "draft.ours", "GET", "/me/messages", "Mail.Read",
        "which mails of ours are in the mailbox, to compare them with what we know: ids, times, our own marks",
        query=(
            (
                "$filter",
                "receivedDateTime ge {since} and "
                f"singleValueExtendedProperties/Any(ep: ep/id eq '{SEND_KEY}' and ep/value ne null)",
            ),
            ("$select", DRAFT), ("$expand", STAMPS), ("$top", "100"),
        ),
        follows_links=True,
    ),
    Shape(
        "draft.create", "POST", "/me/messages", "Mail.ReadWrite", "to write a first step as a draft",
        body=frozenset({"subject", "body", "from", "toRecipients", "singleValueExtendedProperties"}), once=True,
    ),
    Shape(
        "draft.create-follow-up", "POST", "/me/messages/{id}/createReply", "Mail.ReadWrite",
        "to write a follow-up as a draft in the same thread",
        body=frozenset({"message"}), once=True,
    ),
    Shape(
        "draft.create-mime", "POST", "/me/messages", "Mail.ReadWrite",
        "to write a step as a draft with a List-Unsubscribe header, which JSON does not take",
        mime=True, once=True,
    ),
    Shape(
        "draft.stamp", "PATCH", "/me/messages/{id}", "Mail.ReadWrite",
        "to put our marks on that draft, so that it is found again", body=frozenset({"singleValueExtendedProperties"}),
    ),
    Shape("draft.send", "POST", "/me/messages/{id}/send", "Mail.Send", "to send that one draft", once=True),
    # Where drafts were not granted: one request that creates and sends. Nothing can be looked for afterwards.
    Shape(
        "send.at-once", "POST", "/me/sendMail", "Mail.Send",
        "to send a first step from a mailbox that is connected for sending only",
        body=frozenset({"message", "saveToSentItems"}), once=True,
    ),
    Shape(
        "drafts.ours", "GET", "/me/mailFolders/drafts/messages", "Mail.Read",
        "which drafts of ours are left, to remove them when the mailbox is disconnected",
        query=(
            ("$filter", f"singleValueExtendedProperties/Any(ep: ep/id eq '{SEND_KEY}' and ep/value ne null)"),
            ("$select", "id"), ("$top", "100"),
        ),
    ),
    Shape("draft.delete", "DELETE", "/me/messages/{id}", "Mail.ReadWrite", "to remove our own unsent draft"),
    # The calendar: times and attendees, then details of matched events only.
    Shape(
        "calendar", "GET", "/me/calendarView", "Calendars.Read",
        "to find meetings with enrolled contacts: times and attendees, no subject or text",
        query=(
            ("startDateTime", "{start}"), ("endDateTime", "{end}"), ("$select", EVENT), ("$top", "200"),
        ),
        prefer=(IMMUTABLE, UTC),
        follows_links=True,
    ),
    Shape(
        "event.look", "GET", "/me/events/{id}", "Calendars.Read", "whether a meeting that vanished was cancelled",
        query=(("$select", EVENT),), prefer=(IMMUTABLE, UTC),
    ),
    Shape(
        "event.details", "GET", "/me/events/{id}", "Calendars.Read", "the subject of a meeting with a contact",
        query=(("$select", "id,subject,start,end,changeKey"),), prefer=(IMMUTABLE, UTC),
    ),
    Shape(
        "brief.find", "GET", "/me/events", "Calendars.ReadWrite", "whether our own private event exists already",
        query=(
            ("$filter", f"singleValueExtendedProperties/Any(ep: ep/id eq '{BRIEF_KEY}' and ep/value eq '{{key}}')"),
            ("$select", "id"),
        ),
    ),
    Shape(
        "briefs.ours", "GET", "/me/events", "Calendars.ReadWrite",
        "which private events of ours are left, to remove them when briefs are switched off or the mailbox is disconnected",
        query=(
            ("$filter", f"singleValueExtendedProperties/Any(ep: ep/id eq '{BRIEF_KEY}' and ep/value ne null)"),
            ("$select", "id"), ("$expand", f"singleValueExtendedProperties($filter=id eq '{BRIEF_KEY}')"),
            ("$top", "100"),
        ),
        follows_links=True,
    ),
    Shape(
        "brief.create", "POST", "/me/events", "Calendars.ReadWrite", "the brief, as a private event of the rep's own",
        body=frozenset(
            {"subject", "body", "start", "end", "showAs", "sensitivity", "isReminderOn", "categories",
             "transactionId", "singleValueExtendedProperties"}
        ),
    ),
    Shape(
        "brief.update", "PATCH", "/me/events/{id}", "Calendars.ReadWrite", "to keep that private event up to date",
        body=frozenset({"subject", "body", "start", "end"}),
    ),
    Shape("brief.delete", "DELETE", "/me/events/{id}", "Calendars.ReadWrite", "to remove that private event"),
    # Outlook's address book, only while a member looks at the page that imports from it.
    Shape(
        "outlook-contacts", "GET", "/me/contacts", "Contacts.Read",
        "to show your Outlook contacts on the page that imports them",
        query=(("$select", "id,givenName,surname,companyName,jobTitle,emailAddresses"), ("$top", "200")),
        follows_links=True,
    ),
    Shape(
        "people", "GET", "/me/people", "People.Read",
        "to show the people you work with most on the page that imports them",
        query=(("$select", "id,givenName,surname,companyName,jobTitle,scoredEmailAddresses"), ("$top", "200")),
        prefer=(),
    ),
    # Notifications: a hint that something changed, without any content.
    Shape(
        "subscription.create", "POST", "/subscriptions", "Mail.Read", "to be told that mail arrived",
        body=SUBSCRIPTION,
    ),
    Shape(
        "subscription.create-calendar", "POST", "/subscriptions", "Calendars.Read",
        "to be told that the calendar changed", body=SUBSCRIPTION,
    ),
    Shape(
        "subscription.renew", "PATCH", "/subscriptions/{id}", "User.Read", "to keep being told",
        body=frozenset({"expirationDateTime"}),
    ),
    Shape("subscription.delete", "DELETE", "/subscriptions/{id}", "User.Read", "to stop being told"),
)  # fmt: skip

SHAPES: dict[str, Shape] = {shape.name: shape for shape in _ALL}
