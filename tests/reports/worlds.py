"""Workspaces full of mails at random, and what a report must say of them, counted anew from the raw rows in plain Python."""

import random
import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from gatepost.accounts.models import Member
from gatepost.contacts.models import Company, Contact
from gatepost.conversations.models import Conversation, Promise, Reply
from gatepost.ids import uuid7
from gatepost.isolation import inside
from gatepost.mailboxes.models import Mailbox
from gatepost.meetings.models import Meeting
from gatepost.outbox.models import Message
from gatepost.reports.queries import Chosen, Figures
from gatepost.sequences.models import Enrolment, Sequence, Step, Task, Variant
from gatepost.web.labels import LABELS
from gatepost.web.weeks import Span
from tests.makers import make_contact, make_mailbox, make_member, make_sequence, make_workspace

AUTOMATIC = ("out_of_office", "auto_reply", "bounce")
FIRST = date(2025, 3, 3)  # a Monday; four weeks later the clocks change in Berlin
DAYS = 70
# How a meeting stands, and on which rung: only what is booked is counted as one.
STANDINGS = (
    {"state": "booked", "rung": "on_calendar"}, {"state": "booked", "rung": "took_place"},
    {"state": "booked", "rung": "no_show"}, {"state": "cancelled", "rung": "cancelled"},
    {"state": "declined", "rung": "declined"}, {"state": "cancelled", "rung": "dismissed"},
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class World:
    member: Member  # sees everything
    rep: Member  # sees one mailbox
    zone: ZoneInfo


def make_world(dice: random.Random, *, enrolments: int) -> World:
    """Three reps, two sequences with three steps of two wordings, companies, and for each enrolment what chance brings."""
    owner = make_member(make_workspace())
    reps = [make_member(owner.workspace, name, role="rep") for name in ("Ben", "Cleo")]
    boxes = [make_mailbox(each, f"{each.name.lower()}@northwind.example") for each in (owner, *reps)]
    steps = [step for sequence in _sequences(owner) for step in sequence]
    contacts = [
        make_contact(owner.workspace, f"p{number}@{domain}.example", company=domain)
        for number, domain in enumerate(("contoso", "fabrikam", "wingtip", "contoso"))
    ]
    with inside(owner.workspace_id):
        for _ in range(enrolments):
            _live(dice, dice.choice(boxes), dice.choice(contacts), dice.choice((steps[:3], steps[3:])))
    return World(owner, reps[0], ZoneInfo(owner.workspace.time_zone))


def _sequences(owner: Member) -> list[list[tuple[Step, list[UUID]]]]:
    found = []
    for _ in range(2):
        sequence = make_sequence(owner)
        with inside(owner.workspace_id):
            steps = []
            for step in sequence.steps.order_by("position"):
                variants = [*step.variants.all()]
                other = Variant.objects.create(workspace_id=owner.workspace_id, step=step)
                steps.append((step, [each.pk for each in (*variants, other)]))
        found.append(steps)
    return found


def _moment(dice: random.Random) -> datetime:
    """Often on the very edge of a day, where zones and changes of the clock matter."""
    zone = ZoneInfo("Europe/Berlin")
    day = FIRST + timedelta(days=dice.randrange(DAYS))
    midnight = datetime.combine(day, datetime.min.time(), zone)
    if dice.random() < 0.3:
        return datetime.fromtimestamp(midnight.timestamp() + dice.choice((-1, 0, 1)), zone)
    return midnight + timedelta(seconds=dice.randrange(86_400))


def _live(dice: random.Random, box: Mailbox, contact: Contact, steps: list[tuple[Step, list[UUID]]]) -> None:
    own: dict[str, Any] = {"workspace_id": box.workspace_id, "mailbox": box}
    enrolment = Enrolment.objects.create(
        workspace_id=box.workspace_id, sequence=steps[0][0].sequence, contact=contact, mailbox=box,
        state="finished", created_at=_moment(dice),
    )  # fmt: skip
    mails = []
    for step, variants in steps[: dice.randint(1, 3)]:
        state = dice.choice(
            ("planned", "accepted", "confirmed", "confirmed", "confirmed", "cancelled", "held")
        )
        planned = _moment(dice)
        sent = planned + timedelta(hours=dice.randrange(60)) if state in ("accepted", "confirmed") else None
        mails.append(
            Message.objects.create(
                **own, contact=contact, enrolment_id=enrolment.pk, sequence_id=enrolment.sequence_id,
                step_id=step.pk, variant_id=dice.choice([*variants, None]), position=step.position, key=uuid4().hex,
                guard=uuid4().hex, number=1, state=state, content_hash="-", planned_at=planned, accepted_at=sent,
                sending_at=sent, confirmed_at=sent if state == "confirmed" else None,
                bounced_at=_moment(dice) if sent and dice.random() < 0.2 else None,
            )
        )  # fmt: skip
    left = [mail for mail in mails if mail.accepted_at]
    if left and dice.random() < 0.7:
        conversation = Conversation.objects.create(
            **own, contact=contact, enrolment=enrolment, last_reply_at=_moment(dice)
        )
        for _ in range(dice.randint(1, 3)):
            label = dice.choice([*LABELS, "interested", "unsure"])
            reply = Reply.objects.create(
                **own, conversation=conversation, message=dice.choice(left), graph_id="-", label=label,
                internet_message_index=uuid4().hex, received_at=_moment(dice), version="-", created_at=_moment(dice),
            )  # fmt: skip
            if label == "circle_back_later":
                Promise.objects.create(
                    **own, conversation=conversation, reply=reply, due_local_date=FIRST, precision="day"
                )
    if dice.random() < 0.4:
        starts = _moment(dice)
        Meeting.objects.create(
            **own, id=uuid7(), contact=contact, enrolment=dice.choice((enrolment, enrolment, None)),
            step_id=left[-1].step_id if left else None, graph_id="-", ical_uid_index=uuid4().hex, starts_at=starts,
            ends_at=starts, found_at=_moment(dice), counts=dice.random() < 0.8,
            **dice.choice(STANDINGS),
        )  # fmt: skip
    if dice.random() < 0.4:
        step, variants = dice.choice(steps)
        Task.objects.create(
            **own, contact=contact, enrolment=enrolment, step=step, position=step.position,
            variant_id=dice.choice([*variants, None]), state=dice.choice(("done", "done", "open", "skipped")),
            created_at=_moment(dice), ended_at=_moment(dice),
        )  # fmt: skip


def change_late(dice: random.Random, world: World) -> str:
    """What happens to mails of weeks that were over long ago; in a word, what it was."""
    with inside(world.member.workspace_id):
        what = dice.choice(("bounce", "confirm", "erase", "restore", "hand over"))
        if what == "bounce":
            mail = dice.choice(Message.objects.filter(accepted_at__isnull=False, bounced_at=None))
            mail.bounced_at = _moment(dice)
            mail.save(update_fields=["bounced_at"])
        elif what == "confirm" and (found := Message.objects.filter(state="accepted").order_by("?").first()):
            found.state, found.confirmed_at, found.revision = (
                "confirmed",
                found.accepted_at,
                found.revision + 1,
            )
            found.save(update_fields=["state", "confirmed_at", "revision"])
        elif what == "erase":
            dice.choice(Message.objects.filter(replies=None)).delete()
        elif what == "restore":
            mail = dice.choice(Message.objects.all())
            mail.pk, mail.key, mail.guard = uuid4(), uuid4().hex, uuid4().hex
            mail.save(force_insert=True)
        elif what == "hand over":
            box = dice.choice(Mailbox.objects.all())
            box.member = dice.choice(Member.objects.all())
            box.save(update_fields=["member"])
    return what


@dataclass(frozen=True, slots=True)
class Filter:
    chosen: Chosen
    first: date
    last: date
    as_rep: bool


def random_filter(dice: random.Random, raw: "Raw") -> Filter:
    def perhaps(values: Iterable[Any], chance: float) -> Any:
        return dice.choice(sorted(values)) if dice.random() < chance else None

    first = FIRST + timedelta(days=dice.randrange(-3, DAYS))
    chosen = Chosen(
        sequence_id=perhaps({row["sequence_id"] for row in raw.messages}, 0.3),
        step_id=perhaps({row["step_id"] for row in raw.messages}, 0.2),
        variant_id=perhaps({row["variant_id"] for row in raw.messages} - {None}, 0.2),
        member_id=perhaps(set(raw.owner_of.values()), 0.2),
        company_id=perhaps(set(raw.company_of.values()) - {None}, 0.2),
        label=perhaps(LABELS, 0.2) or "",
    )
    return Filter(chosen, first, first + timedelta(days=dice.randrange(1, 60)), dice.random() < 0.2)


class Raw:
    """Every row, read without a condition; everything else happens here."""

    def __init__(self, member: Member) -> None:
        with inside(member.workspace_id):
            self.messages = list(Message.objects.values())
            self.replies = list(Reply.objects.values())
            self.promised = set(Promise.objects.values_list("reply_id", flat=True))
            self.meetings = list(Meeting.objects.values())
            self.tasks = list(Task.objects.values())
            self.enrolment_of = dict(Conversation.objects.values_list("pk", "enrolment_id"))
            self.contact_of = dict(Conversation.objects.values_list("pk", "contact_id"))
            self.sequence_of = dict(Enrolment.objects.values_list("pk", "sequence_id"))
            self.company_of = dict(Contact.objects.values_list("pk", "company_id"))
            self.owner_of = dict(Mailbox.objects.values_list("pk", "member_id"))
            assert Company.objects.count() == 3 and Sequence.objects.count() == 2
        self.by_id = {row["id"]: row for row in self.messages}
        self.labels_of_mail: dict[UUID, set[str]] = {}
        self.labels_of_enrolment: dict[UUID, set[str]] = {}
        for row in self.replies:
            self.labels_of_mail.setdefault(row["message_id"], set()).add(row["label"])
            enrolment = self.enrolment_of[row["conversation_id"]]
            self.labels_of_enrolment.setdefault(enrolment, set()).add(row["label"])

    def figures(self, chosen: Chosen, span: Span, rep: UUID | None) -> Figures:
        def counts(facts: dict[str, Any], mailbox: UUID, moment: datetime | None, labels: set[str]) -> bool:
            owner = self.owner_of[mailbox]
            return (
                moment is not None
                and span[0] <= moment < span[1]
                and (rep is None or owner == rep)
                and chosen.member_id in (None, owner)
                and all(getattr(chosen, name) in (None, value) for name, value in facts.items())
                and (not chosen.label or chosen.label in labels)
            )

        def of_mail(row: dict[str, Any]) -> dict[str, Any]:
            return {
                **{name: row[name] for name in ("sequence_id", "step_id", "variant_id")},
                "company_id": self.company_of[row["contact_id"]],
            }

        def mails(moment: str) -> list[dict[str, Any]]:
            return [
                row
                for row in self.messages
                if counts(
                    of_mail(row), row["mailbox_id"], row[moment], self.labels_of_mail.get(row["id"], set())
                )
            ]

        sent = [row for row in mails("accepted_at") if row["state"] in ("accepted", "confirmed")]
        replies = [
            row
            for row in self.replies
            if counts(
                of_mail(self.by_id[row["message_id"]]), row["mailbox_id"], row["received_at"], {row["label"]}
            )
        ]
        persons = [row for row in replies if row["label"] not in AUTOMATIC]
        waits = [row["received_at"] - self.by_id[row["message_id"]]["accepted_at"] for row in persons]
        meetings = [row for row in self.meetings if row["counts"] and row["rung"] != "dismissed" and counts(
            {
                "sequence_id": self.sequence_of.get(row["enrolment_id"]),
                "step_id": row["step_id"],
                **self._wording(row, chosen),
                "company_id": self.company_of[row["contact_id"]],
            },
            row["mailbox_id"], row["found_at"], self.labels_of_enrolment.get(row["enrolment_id"], set()),
        )]  # fmt: skip
        booked = [row for row in meetings if row["state"] == "booked"]
        tasks = [row for row in self.tasks if row["state"] == "done" and counts(
            {
                "sequence_id": self.sequence_of[row["enrolment_id"]],
                "step_id": row["step_id"],
                "variant_id": row["variant_id"],
                "company_id": self.company_of[row["contact_id"]],
            },
            row["mailbox_id"], row["ended_at"], self.labels_of_enrolment.get(row["enrolment_id"], set()),
        )]  # fmt: skip

        def conversations(rows: Iterable[dict[str, Any]], *labels: str) -> int:
            return len({row["conversation_id"] for row in rows if not labels or row["label"] in labels})

        return Figures(
            planned=len(mails("planned_at")),
            sent=len(sent),
            confirmed=sum(row["state"] == "confirmed" for row in sent),
            bounced=len(mails("bounced_at")),
            replied=conversations(persons),
            labelled=conversations(row for row in persons if row["label"] != "unsure"),
            interested=conversations(replies, "interested"),
            unsure=conversations(replies, "unsure"),
            opted_out=conversations(replies, "unsubscribe", "hard_no"),
            promises=conversations(row for row in replies if row["id"] in self.promised),
            meetings=len(booked),
            tasks=len(tasks),
            labels={name: n for name in LABELS if (n := conversations(replies, name))},
            rungs=dict(Counter(row["rung"] for row in meetings)),
            days_to_reply=_median(waits),
            days_to_meeting=_median([
                row["found_at"] - first for row in booked if (first := self._first_mail(row["enrolment_id"]))
            ]),
        )  # fmt: skip

    def outcome(self, chosen: Chosen, span: Span, rep: UUID | None) -> tuple[int, int, int, int, int]:
        """Of the mails that left in the span and were seen among the sent ones: how many there are, and in how many
        conversations a person answered one, was interested, said something known, wanted no more."""

        def counts(mail: dict[str, Any], mailbox: UUID) -> bool:
            owner = self.owner_of[mailbox]
            facts = {name: mail[name] for name in ("sequence_id", "step_id", "variant_id")}
            facts["company_id"] = self.company_of[mail["contact_id"]]
            return (
                mail["state"] == "confirmed"
                and span[0] <= mail["accepted_at"] < span[1]
                and rep in (None, owner)
                and chosen.member_id in (None, owner)
                and all(getattr(chosen, name) in (None, value) for name, value in facts.items())
            )

        answers = [
            (row["conversation_id"], row["label"])
            for row in self.replies
            if row["label"] not in AUTOMATIC
            and row["received_at"] >= span[0] - timedelta(days=1)
            and counts(self.by_id[row["message_id"]], row["mailbox_id"])
        ]
        return (
            sum(counts(row, row["mailbox_id"]) for row in self.messages),
            len({conversation for conversation, _label in answers}),
            len({conversation for conversation, label in answers if label == "interested"}),
            len({conversation for conversation, label in answers if label != "unsure"}),
            len({conversation for conversation, label in answers if label in ("unsubscribe", "hard_no")}),
        )

    def _wording(self, meeting: dict[str, Any], chosen: Chosen) -> dict[str, Any]:
        """The wording of the last mail before the meeting."""
        found = {
            row["variant_id"]
            for row in self.messages
            if row["enrolment_id"] == meeting["enrolment_id"]
            and row["step_id"] == meeting["step_id"]
            and row["state"] in ("accepted", "confirmed")
        }
        return {"variant_id": chosen.variant_id if chosen.variant_id in found else uuid4()}

    def _first_mail(self, enrolment: UUID | None) -> datetime | None:
        return min(
            (
                row["accepted_at"]
                for row in self.messages
                if row["enrolment_id"] == enrolment and row["state"] in ("accepted", "confirmed")
            ),
            default=None,
        )


def _median(spans: list[timedelta]) -> float | None:
    return statistics.median(each / timedelta(days=1) for each in spans) if spans else None
