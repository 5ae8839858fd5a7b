"""What a mailbox does by itself with what arrives: rules, automatic replies, focused and other, no room left."""

from typing import Any

import pytest

from m365_sandbox.inbox_rules import LOOP, Outcome, outcome
from m365_sandbox.mail import Letter

from .conftest import EVERYTHING, Mailbox, Served, to_address

SETTINGS = EVERYTHING + " MailboxSettings.ReadWrite"
RULES = "/me/mailFolders/inbox/messageRules"


@pytest.fixture
def ann(sandbox: Served) -> Mailbox:
    """Alice, who may change her settings."""
    return sandbox.sign_in("alice@northwind.example", SETTINGS)


def rule(mailbox: Mailbox, conditions: dict[str, Any], actions: dict[str, Any], **more: Any) -> None:
    body = {
        "displayName": "r",
        "sequence": 1,
        "isEnabled": True,
        "conditions": conditions,
        "actions": actions,
    }
    made = mailbox.post(RULES, {**body, **more})
    assert made.status == 201, made.text


def arrives(sandbox: Served, mailbox: Mailbox, **mail: Any) -> None:
    mail = {"mailbox": mailbox.address, "from": "carol@contoso.example", "subject": "Hello", **mail}
    sandbox.control("deliver", mail)


def lies_in(mailbox: Mailbox, folder: str) -> list[dict[str, Any]]:
    return mailbox.get(f"/me/mailFolders/{folder}/messages?$top=50").json["value"]


# Rules


def decided(conditions: dict[str, Any], letter: Letter, **rule: Any) -> Outcome:
    rules = [{"sequence": 1, "conditions": conditions, "actions": {"markAsRead": True}, **rule}]
    return outcome(rules, letter, "alice@northwind.example")


CAROL = ["Carol Diaz", "carol@contoso.example"]
ALICE = ["Alice Berger", "alice@northwind.example"]
LETTER = Letter(
    sender=CAROL, to=[ALICE], cc=[["Ben", "ben@northwind.example"]], subject="Quarterly offer", importance="high",
    body="<p>Good <b>morning</b></p>", body_type="html", headers=[["List-Id", "<offers.contoso.example>"]],
    attachments=[{"name": "a.txt", "size": 4096}],
)  # fmt: skip


@pytest.mark.parametrize(
    "condition",
    [
        {"subjectContains": ["nothing", "OFFER"]}, {"bodyContains": ["good morning"]},
        {"bodyOrSubjectContains": ["quarterly"]}, {"senderContains": ["contoso"]},
        {"recipientContains": ["ben@"]}, {"headerContains": ["list-id"]}, {"hasAttachments": True},
        {"fromAddresses": [to_address("Carol@contoso.example")]}, {"importance": "high"},
        {"sentToAddresses": [to_address("ben@northwind.example")]}, {"sentToMe": True},
        {"sentToOrCcMe": True}, {"withinSizeRange": {"minimumSize": 4, "maximumSize": 5}},
        {"sensitivity": "normal"}, {"subjectContains": ["offer"], "senderContains": ["carol"]}, {},
    ],
)  # fmt: skip
def test_a_condition_that_fits(condition: dict[str, Any]) -> None:
    assert decided(condition, LETTER).read


@pytest.mark.parametrize(
    "condition",
    [
        {"subjectContains": ["nothing"]}, {"bodyContains": ["<b>"]}, {"senderContains": ["fabrikam"]},
        {"importance": "low"}, {"sentOnlyToMe": True}, {"sentCcMe": True}, {"notSentToMe": True},
        {"isAutomaticReply": True}, {"isNonDeliveryReport": True}, {"isMeetingRequest": True},
        {"isMeetingResponse": True}, {"isAutomaticForward": True}, {"isSigned": True},
        {"withinSizeRange": {"maximumSize": 3}}, {"subjectContains": ["offer"], "senderContains": ["fabrikam"]},
    ],
)  # fmt: skip
def test_a_condition_that_does_not_fit(condition: dict[str, Any]) -> None:
    assert not decided(condition, LETTER).read


def test_an_exception_or_a_rule_that_is_off_stops_it() -> None:
    assert not decided({}, LETTER, exceptions={"hasAttachments": True}).read
    assert not decided({}, LETTER, isEnabled=False).read


def test_rules_go_by_sequence_until_one_is_the_last() -> None:
    rules = [
        {"sequence": 2, "actions": {"assignCategories": ["second"], "stopProcessingRules": True}},
        {"sequence": 3, "actions": {"assignCategories": ["third"]}},
        {"sequence": 1, "actions": {"assignCategories": ["first"], "markImportance": "low"}},
    ]
    found = outcome(rules, LETTER, "alice@northwind.example")

    assert (found.categories, found.importance) == (["first", "second"], "low")


def test_what_a_rule_passed_on_is_not_passed_on_by_it_again() -> None:
    rules = [{"sequence": 1, "actions": {"forwardTo": [to_address("ben@northwind.example")]}}]
    again = Letter(sender=CAROL, to=[ALICE], subject="", body="", headers=[[LOOP, ALICE[1]]])

    assert outcome(rules, LETTER, ALICE[1]).forward_to and not outcome(rules, again, ALICE[1]).forward_to


def test_a_rule_moves_what_arrives_before_anybody_sees_it_in_the_inbox(sandbox: Served, ann: Mailbox) -> None:
    folder = ann.post("/me/mailFolders", {"displayName": "Offers"}).json["id"]
    rule(ann, {"senderContains": ["contoso"]}, {"moveToFolder": folder, "markAsRead": True})
    _, link = ann.delta("/me/mailFolders/inbox/messages/delta?$select=subject")

    arrives(sandbox, ann)

    assert ann.delta(link)[0] == []
    [message] = lies_in(ann, folder)
    assert (message["subject"], message["isRead"]) == ("Hello", True)


def test_a_rule_copies_marks_deletes(sandbox: Served, ann: Mailbox) -> None:
    folder = ann.post("/me/mailFolders", {"displayName": "Copies"}).json["id"]
    copy = {"copyToFolder": folder, "assignCategories": ["Lead"], "markImportance": "high"}
    rule(ann, {"subjectContains": ["copy"]}, copy)
    rule(ann, {"subjectContains": ["rubbish"]}, {"delete": True})
    rule(ann, {"subjectContains": ["burn"]}, {"permanentDelete": True})

    for subject in ("copy", "rubbish", "burn"):
        arrives(sandbox, ann, subject=subject)

    [kept] = lies_in(ann, "inbox")
    assert (kept["subject"], kept["categories"], kept["importance"]) == ("copy", ["Lead"], "high")
    assert [m["subject"] for m in lies_in(ann, folder)] == ["copy"]
    assert [m["subject"] for m in lies_in(ann, "deleteditems")] == ["rubbish"]


def test_a_rule_forwards_in_the_owners_name_and_redirects_in_the_writers(
    sandbox: Served, ann: Mailbox
) -> None:
    ben = [to_address("ben@northwind.example")]
    rule(ann, {"subjectContains": ["one"]}, {"forwardTo": ben})
    rule(ann, {"subjectContains": ["two"]}, {"redirectTo": ben})

    for subject in ("one", "two"):
        arrives(sandbox, ann, subject=subject)
    sandbox.settle()

    got = lies_in(sandbox.sign_in("ben@northwind.example"), "inbox")
    assert {(m["from"]["emailAddress"]["address"], m["subject"]) for m in got} == {
        ("alice@northwind.example", "FW: one"), ("carol@contoso.example", "two"),
    }  # fmt: skip


# Automatic replies


def replies(ann: Mailbox, **setting: Any) -> None:
    setting = {"internalReplyMessage": "Ask Ben.", "externalReplyMessage": "I am away.", **setting}
    assert ann.call("PATCH", "/me/mailboxSettings", body={"automaticRepliesSetting": setting}).status == 200


def test_a_sender_is_told_once_that_somebody_is_away(sandbox: Served, ann: Mailbox) -> None:
    replies(ann, status="alwaysEnabled")
    carol = sandbox.sign_in("carol@contoso.example")

    for subject in ("One", "Two"):
        carol.write("alice@northwind.example", subject)

    [told] = [m for m in lies_in(carol, "inbox") if m["from"]["emailAddress"]["address"] == ann.address]
    assert (told["subject"], told["bodyPreview"]) == ("Automatic reply: One", "I am away.")
    replies(ann, status="alwaysEnabled")
    carol.write("alice@northwind.example", "Three")
    assert len([m for m in lies_in(carol, "inbox") if m["subject"].startswith("Automatic reply")]) == 2


def test_colleagues_are_told_in_other_words_and_strangers_perhaps_not_at_all(
    sandbox: Served, ann: Mailbox
) -> None:
    replies(ann, status="alwaysEnabled", externalAudience="none")
    carol, ben = sandbox.sign_in("carol@contoso.example"), sandbox.sign_in("ben@northwind.example")

    carol.write("alice@northwind.example")
    ben.write("alice@northwind.example")

    assert lies_in(carol, "inbox") == []
    assert [m["bodyPreview"] for m in lies_in(ben, "inbox")] == ["Ask Ben."]


def test_no_automatic_reply_answers_what_no_person_wrote(sandbox: Served, ann: Mailbox) -> None:
    replies(ann, status="alwaysEnabled")

    for headers in (
        {"Auto-Submitted": "auto-generated"}, {"Precedence": "bulk"}, {"X-Auto-Response-Suppress": "DR, OOF"},
    ):  # fmt: skip
        arrives(sandbox, ann, headers=headers)

    assert lies_in(ann, "sentitems") == []


@pytest.mark.parametrize(("begins", "told"), [(-1, True), (1, False)])
def test_automatic_replies_can_be_scheduled(sandbox: Served, ann: Mailbox, begins: int, told: bool) -> None:
    from m365_sandbox.clock import iso

    now = sandbox.control("clock")["product"]
    days = (begins, begins + 2)
    start, end = ({"dateTime": iso(now + day * 86400).removesuffix("Z"), "timeZone": "UTC"} for day in days)
    replies(ann, status="scheduled", scheduledStartDateTime=start, scheduledEndDateTime=end)

    arrives(sandbox, ann)

    assert bool(lies_in(ann, "sentitems")) is told


def test_mail_tips_tell_that_somebody_is_away_or_has_no_room(sandbox: Served, ann: Mailbox) -> None:
    replies(ann, status="alwaysEnabled")
    ben = sandbox.sign_in("ben@northwind.example")
    asked = {
        "EmailAddresses": ["alice@northwind.example"],
        "MailTipsOptions": "automaticReplies, mailboxFullStatus",
    }

    [tips] = ben.post("/me/getMailTips", asked).json["value"]
    assert (tips["automaticReplies"]["message"], tips["mailboxFull"]) == ("Ask Ben.", False)
    sandbox.control("users", {"address": "alice@northwind.example", "mailbox_full": True})
    [tips] = ben.post("/me/getMailTips", asked).json["value"]
    assert tips["mailboxFull"] is True


# Focused and other; no room


def test_mail_of_an_override_is_other(sandbox: Served, ann: Mailbox) -> None:
    override = {"classifyAs": "other", "senderEmailAddress": {"address": "carol@contoso.example"}}
    assert ann.post("/me/inferenceClassification/overrides", override).status == 201

    arrives(sandbox, ann)
    arrives(sandbox, ann, **{"from": "ben@northwind.example"})

    seen = {m["from"]["emailAddress"]["address"]: m["inferenceClassification"] for m in lies_in(ann, "inbox")}
    assert seen == {"carol@contoso.example": "other", "ben@northwind.example": "focused"}


def test_a_full_mailbox_takes_nothing_and_what_is_sent_there_comes_back(
    sandbox: Served, ann: Mailbox
) -> None:
    sandbox.control("users", {"address": "alice@northwind.example", "mailbox_full": True})

    refused = ann.post("/me/messages", {"subject": "one"})
    assert (refused.status, refused.json["error"]["code"]) == (403, "ErrorQuotaExceeded")
    carol = sandbox.sign_in("carol@contoso.example")
    carol.write("alice@northwind.example", "Two")
    sandbox.advance(5)
    [report] = lies_in(carol, "inbox")
    assert report["subject"] == "Undeliverable: Two" and lies_in(ann, "inbox") == []
