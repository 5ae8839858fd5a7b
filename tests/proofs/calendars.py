"""Calendars full of meetings of every kind among events that are none of our business, and what must come of them.

The sandbox is Microsoft: people invite, answer, move, cancel and forward in it, and what is looked at afterwards are its
own copies. `run` tells what is wrong, and the figures.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import orjson

from gatepost.accounts import actions as accounts
from gatepost.accounts.membership import by
from gatepost.contacts import actions as contacts
from gatepost.contacts.models import Contact
from gatepost.graph.gateway import close_shared_session
from gatepost.isolation import inside
from gatepost.mailboxes import features
from gatepost.mailboxes.actions import Connected, finish_connect
from gatepost.mailboxes.models import Mailbox
from gatepost.meetings.jobs import sync_calendar
from gatepost.meetings.models import Brief, CalendarCount, Meeting, Rung
from gatepost.meetings.queries import STANDING
from gatepost.sequences import enrolments
from gatepost.sequences.models import Enrolment
from gatepost.vault import content
from gatepost.vault.sealing import index
from m365_sandbox import calendars, ids
from m365_sandbox.entities import Event, User
from m365_sandbox.world import add_user
from tests.mailboxes.microsoft import accept, leave
from tests.makers import make_member, make_sequence, make_workspace
from tests.pages import make_message
from tests.sandbox.conftest import Served

ALICE, BEN, COLLEAGUE, BOOKINGS = (f"{name}@northwind.example" for name in ("alice", "ben", "dana", "demos"))
STRANGER = "carol@contoso.example"
CANARY = "canary"  # stands in subject, text and place of everything that is none of our business
DAY = 86_400.0


@dataclass
class Case:
    """One meeting, as it was arranged; what it must come to at each look."""

    kind: str
    address: str
    expected: list[str]  # its rung at each look; "" where it must not be known
    events: list[Event] = field(default_factory=list)  # in the calendar of Alice, first
    then: Callable[[], None] = lambda: None  # between the first look and the second
    rows: int = 1  # of Alice and Ben together
    counted: int = 1  # of these, in reports, at the end
    match: str = "address"
    history: tuple[str, ...] = ()  # rungs that it must have reached on its way
    stops: bool = True


@dataclass
class Scene:
    """The sandbox, our installation on it, and everybody in both."""

    sandbox: Served
    members: dict[str, Any]
    mailboxes: dict[str, Mailbox]
    sequence: Any
    chance: random.Random
    now: float
    cases: list[Case] = field(default_factory=list)
    unrelated: set[str] = field(default_factory=set)  # their iCalUIds
    wrong: list[str] = field(default_factory=list)
    figures: Counter[str] = field(default_factory=Counter)

    @property
    def of(self) -> Any:
        return self.sandbox.app.state.sandbox

    @property
    def workspace_id(self) -> UUID:
        return self.mailboxes[ALICE].workspace_id

    def user(self, address: str) -> User:
        return self.of.user(address) or add_user(
            self.of, {"address": address, "name": address.partition("@")[0]}
        )

    def copy(self, event: Event, address: str) -> Event:
        """The same event in another calendar."""
        user = self.user(address)
        return next(each for each in self.of.store.copies(event.uid) if each.mailbox == user.id)

    def start(self) -> float:
        """Some working hour within the window, to the quarter."""
        return self.now - self.now % 900 + 900 * self.chance.randrange(96, 50 * 96)


def run(sandbox: Served, *, meetings: int, unrelated: int, seed: int) -> tuple[list[str], dict[str, int]]:
    """What is wrong, and the figures."""
    scene = _arrange(sandbox, seed)
    kinds = list(KINDS)
    for number in range(meetings):
        scene.cases.append(KINDS[kinds[number % len(kinds)]](scene, number))
    _fill_with_unrelated(scene, unrelated)
    sandbox.settle()
    _look(scene, 0)
    _switch_briefs(scene)
    for case in scene.cases:
        case.then()
    sandbox.settle()
    _look(scene, 1)
    _look(scene, 1)  # once more: nothing new may come of it
    scene.figures["briefs_in_the_end"] = len(_judge_briefs(scene))
    _judge_what_was_read(scene)
    figures = {"meetings": meetings, "unrelated": unrelated, **scene.figures}
    return scene.wrong, dict(figures)


# Arranging


def _arrange(sandbox: Served, seed: int) -> Scene:
    workspace = make_workspace()
    members = {ALICE: make_member(workspace), BEN: make_member(workspace, "Ben")}
    features.switch(workspace.id, "briefs", True, actor=accounts.INSTALLER)
    mailboxes = {}
    for address, member in members.items():
        back = accept(sandbox, leave(member, address), address)
        connected = finish_connect(back, session_key=address)
        assert isinstance(connected, Connected), connected
        with inside(workspace.id):
            mailboxes[address] = Mailbox.objects.get(member=member)
    state = sandbox.app.state.sandbox
    state.switches.log_items = True
    for address in (COLLEAGUE, BOOKINGS):
        if state.user(address) is None:
            add_user(state, {"address": address})
    sequence = make_sequence(members[ALICE])
    return Scene(sandbox, members, mailboxes, sequence, random.Random(seed), state.now())


def _known(scene: Scene, number: int, address: str = "") -> str:
    """A contact of Alice's sequence who got a mail two days ago; their address."""
    address = address or f"person{number}@customer{number}.example"
    scene.user(address)
    contact = contacts.add_contact(
        scene.workspace_id,
        {"email": address, "first_name": "Person", "last_name": str(number), "company": f"Customer {number}"},
        actor=accounts.INSTALLER,
    )
    enrolments.enrol(
        scene.sequence.pk, [contact.pk], scene.mailboxes[ALICE].pk, workspace_id=scene.workspace_id,
        actor=by(scene.members[ALICE]),
    )  # fmt: skip
    with inside(scene.workspace_id):
        enrolment = Enrolment.objects.select_related("sequence").get(contact=contact)
    make_message(enrolment, sent=datetime.fromtimestamp(scene.now - 2 * DAY, UTC))
    return address


def _invite(scene: Scene, organizer: str, guests: list[str], **more: Any) -> Event:
    """An invitation in the sandbox; the organiser's own copy, with a join link."""
    start = more.pop("start", None) or scene.start()
    event = calendars.book(
        scene.of, scene.user(organizer), [[each, each] for each in guests], subject="Talk",
        body="Join here: https://teams.example/l/meetup", start=start, end=start + 1800, at=scene.now,
    )  # fmt: skip
    event.online_url = f"https://teams.example/l/{ids.key()}"
    for name, value in more.items():
        setattr(event, name, value)
    scene.of.store.save(event)
    calendars.invite(scene.of, scene.user(organizer), event, at=scene.now)
    return event


def _answer(scene: Scene, event: Event, who: str, response: str) -> None:
    calendars.respond(
        scene.of, scene.user(who), scene.copy(event, who), response, comment="", send=True, at=scene.now
    )


def _put(scene: Scene, organizer: str, guests: list[str], *, at: str = ALICE, **more: Any) -> Event:
    """An event straight in a rep's calendar, as a service or somebody outside puts it there."""
    start = more.pop("start", None) or scene.start()
    event = Event(
        id=ids.item_id(), mailbox=scene.user(at).id, uid=calendars.new_uid(), start=start, end=more.pop("end", start + 1800), organizer=[organizer, organizer],
        attendees=[calendars.attendee([each, each]) for each in guests], created=scene.now, modified=scene.now,
        **{"subject": "Talk", "body": "Talk", "response": "accepted", **more},
    )  # fmt: skip
    scene.of.store.save(event)
    return event


Kind = Callable[[Scene, int], Case]
KINDS: dict[str, Kind] = {}


def kind(function: Kind) -> Kind:
    KINDS[function.__name__] = function
    return function


@kind
def invited_and_answered_later(scene: Scene, n: int) -> Case:
    petra = _known(scene, n)
    event = _invite(scene, petra, [ALICE])
    return Case(
        "invited_and_answered_later", petra, ["proposed", "accepted"], [event],
        lambda: _answer(scene, event, ALICE, "accepted"), history=("proposed", "accepted"),
    )  # fmt: skip


@kind
def invited_and_refused(scene: Scene, n: int) -> Case:
    petra = _known(scene, n)
    event = _invite(scene, petra, [ALICE])
    then = lambda: _answer(scene, event, ALICE, "declined")  # noqa: E731
    return Case("invited_and_refused", petra, ["proposed", "declined"], [event], then, counted=1)


@kind
def set_up_by_the_rep(scene: Scene, n: int) -> Case:
    petra = _known(scene, n)
    event = _invite(scene, ALICE, [petra])
    then = lambda: _answer(scene, event, petra, "accepted")  # noqa: E731
    return Case("set_up_by_the_rep", petra, ["on_calendar", "accepted"], [event], then)


@kind
def refused_by_the_contact(scene: Scene, n: int) -> Case:
    petra = _known(scene, n)
    event = _invite(scene, ALICE, [petra])
    then = lambda: _answer(scene, event, petra, "declined")  # noqa: E731
    return Case("refused_by_the_contact", petra, ["on_calendar", "declined"], [event], then)


@kind
def cancelled_by_the_contact(scene: Scene, n: int) -> Case:
    petra = _known(scene, n)
    event = _invite(scene, petra, [ALICE])
    _answer(scene, event, ALICE, "accepted")
    then = lambda: calendars.cancel(scene.of, scene.user(petra), event, comment="Sorry.", at=scene.now)  # noqa: E731
    return Case("cancelled_by_the_contact", petra, ["accepted", "cancelled"], [event], then)


@kind
def removed_by_the_rep(scene: Scene, n: int) -> Case:
    petra = _known(scene, n)
    event = _invite(scene, ALICE, [petra])
    return Case(
        "removed_by_the_rep", petra, ["on_calendar", "cancelled"], [event],
        lambda: calendars.remove(scene.of, event),
    )  # fmt: skip


@kind
def moved(scene: Scene, n: int) -> Case:
    petra = _known(scene, n)
    event = _invite(scene, petra, [ALICE])
    _answer(scene, event, ALICE, "accepted")

    def then() -> None:
        event.start, event.end = event.start + DAY, event.end + DAY
        scene.of.store.save(event)
        calendars.invite(scene.of, scene.user(petra), event, at=scene.now, update=True)

    return Case("moved", petra, ["accepted", "proposed"], [event], then, history=("accepted", "moved"))


@kind
def moved_out_of_the_window(scene: Scene, n: int) -> Case:
    petra = _known(scene, n)
    event = _invite(scene, ALICE, [petra])
    _answer(scene, event, petra, "accepted")

    def then() -> None:
        event.start, event.end = event.start + 90 * DAY, event.end + 90 * DAY
        scene.of.store.save(event)

    return Case("moved_out_of_the_window", petra, ["accepted", "accepted"], [event], then, history=("moved",))


@kind
def on_a_booking_page_of_a_service(scene: Scene, n: int) -> Case:
    petra = _known(scene, n)
    service = ("no-reply@calendly.com", "hello@cal.com", "meetings@mail.savvycal.com")[n % 3]
    event = _put(scene, service, [petra, ALICE], response="none")
    return Case("on_a_booking_page_of_a_service", petra, ["accepted", "accepted"], [event])


@kind
def on_a_page_of_microsoft_bookings(scene: Scene, n: int) -> Case:
    petra = _known(scene, n)
    event = _invite(scene, BOOKINGS, [petra, ALICE])
    _answer(scene, event, ALICE, "accepted")
    return Case("on_a_page_of_microsoft_bookings", petra, ["on_calendar", "on_calendar"], [event])


@kind
def forwarded(scene: Scene, n: int) -> Case:
    """Somebody else's invitation, which the contact forwards to the rep."""
    petra = _known(scene, n)
    event = _invite(scene, STRANGER, [petra])
    calendars.forward(
        scene.of, scene.user(petra), scene.copy(event, petra), [[ALICE, ALICE]], comment="", at=scene.now
    )
    then = lambda: _answer(scene, event, ALICE, "accepted")  # noqa: E731
    return Case("forwarded", petra, ["proposed", "on_calendar"], [event], then)


@kind
def a_series_with_exceptions(scene: Scene, n: int) -> Case:
    petra = _known(scene, n)
    first = datetime.fromtimestamp(scene.now + 2 * DAY, UTC).replace(
        hour=9, minute=0, second=0, microsecond=0
    )
    days = [(first + timedelta(days=7 * week)).date().isoformat() for week in range(4)]
    event = _put(
        scene, ALICE, [petra], start=first.timestamp(), response="organizer", time_zone="Europe/Berlin",
        recurrence={
            "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": [first.strftime("%A").lower()]},
            "range": {"type": "numbered", "startDate": days[0], "numberOfOccurrences": 4},
        },
    )  # fmt: skip

    def then() -> None:
        third = calendars.kept(scene.of, calendars.occurrence(event, days[2]))
        third.start, third.end = third.start + 7200, third.end + 7200
        scene.of.store.save(third)
        calendars.remove(scene.of, calendars.occurrence(event, days[3]))

    return Case(
        "a_series_with_exceptions", petra, ["on_calendar", "on_calendar"], [event], then, rows=4,
        history=("moved", "cancelled"),
    )  # fmt: skip


@kind
def a_whole_day(scene: Scene, n: int) -> Case:
    petra = _known(scene, n)
    day = date.fromtimestamp(scene.start())
    zone = calendars.zone("W. Europe Standard Time")
    start = datetime.combine(day, time(0), zone).timestamp()
    event = _put(
        scene, petra, [ALICE], start=start, end=start + DAY, all_day=True, time_zone="W. Europe Standard Time"
    )
    return Case("a_whole_day", petra, ["accepted", "accepted"], [event])


@kind
def private(scene: Scene, n: int) -> Case:
    petra = _known(scene, n)
    event = _put(scene, petra, [ALICE], sensitivity="private")
    return Case("private", petra, ["accepted", "accepted"], [event])


@kind
def of_several_reps(scene: Scene, n: int) -> Case:
    petra = _known(scene, n)
    event = _invite(scene, petra, [ALICE, BEN])
    _answer(scene, event, ALICE, "accepted")
    _answer(scene, event, BEN, "accepted")
    return Case("of_several_reps", petra, ["accepted", "accepted"], [event], rows=2)


@kind
def from_another_address(scene: Scene, n: int) -> Case:
    petra = _known(scene, n)
    other = f"p.{n}@elsewhere{n}.example"
    scene.user(other)
    with inside(scene.workspace_id):
        contact = Contact.objects.get(email_index=index(scene.workspace_id, "address", petra))
        contacts.note_address(contact, other)  # as a reply from there, or a merge, does
    event = _put(scene, other, [ALICE])
    return Case("from_another_address", petra, ["accepted", "accepted"], [event], match="other_address")


@kind
def with_a_colleague_of_theirs(scene: Scene, n: int) -> Case:
    petra = _known(scene, n)
    event = _put(scene, f"boss@customer{n}.example", [ALICE])
    return Case(
        "with_a_colleague_of_theirs", petra, ["accepted", "accepted"], [event], match="company",
        counted=0, stops=False,
    )  # fmt: skip


@kind
def only_held(scene: Scene, n: int) -> Case:
    petra = _known(scene, n)
    event = _put(scene, ALICE, [petra], response="organizer", show_as="tentative")
    return Case("only_held", petra, ["proposed", "proposed"], [event])


@kind
def over_already(scene: Scene, n: int) -> Case:
    ended = scene.of.now()
    petra = _known(scene, n)  # enrolled after it
    event = _put(scene, petra, [ALICE], start=ended - 60, end=ended)
    return Case("over_already", petra, ["", "took_place"], [event], history=("took_place",), stops=False)


@kind
def uninvited(scene: Scene, n: int) -> Case:
    petra = _known(scene, n)
    event = _put(scene, ALICE, [petra, COLLEAGUE], response="organizer")

    def then() -> None:
        event.attendees = event.attendees[1:]
        scene.of.store.save(event)

    return Case("uninvited", petra, ["on_calendar", "cancelled"], [event], then)


def _fill_with_unrelated(scene: Scene, count: int) -> None:
    chance = scene.chance
    for number in range(count):
        organizer, guests = chance.choice(
            (
                (ALICE, []), (ALICE, [COLLEAGUE]), (COLLEAGUE, [ALICE, BEN]), (STRANGER, [ALICE]),
                (ALICE, [f"friend{number}@gmail.com"]), (f"doctor{number}@praxis{number % 97}.example", [ALICE]),
                (ALICE, [STRANGER, BEN]), ("no-reply@calendly.com", [ALICE, f"x{number}@lead{number}.example"]),
            )
        )  # fmt: skip
        start = scene.now + chance.uniform(-6, 58) * DAY
        length = DAY if chance.random() < 0.1 else 1800
        event = _put(
            scene, organizer, guests, start=start, end=start + length, subject=f"{CANARY} subject {number}",
            body=f"{CANARY} text {number}", location=f"{CANARY} place {number}",
            online_url=f"https://{CANARY}.example/{number}", response="organizer" if organizer == ALICE else "accepted",
            sensitivity="private" if number % 10 == 0 else "normal",
        )  # fmt: skip
        scene.unrelated.add(event.uid)


# Looking, and judging what came of it


def _look(scene: Scene, number: int) -> None:
    """Both calendars are read by the real job; nothing but our own events changes at Microsoft meanwhile."""
    before, mails = _everything_but_ours(scene), _mails(scene)

    async def look() -> None:
        for mailbox in scene.mailboxes.values():
            await sync_calendar(str(mailbox.workspace_id), str(mailbox.pk))
        await close_shared_session()

    asyncio.run(look())
    scene.sandbox.settle()
    scene.figures["looks"] += 1
    after = _everything_but_ours(scene)
    changed = [key for key in before.keys() | after.keys() if before.get(key) != after.get(key)]
    scene.wrong += [f"look {number}: an event that is not ours changed: {key}" for key in changed[:5]]
    if _mails(scene) != mails:
        scene.wrong.append(f"look {number}: {_mails(scene) - mails} mails were caused")
    scene.figures["mails_caused"] += _mails(scene) - mails
    for case in scene.cases:
        _judge(scene, case, number)
    with inside(scene.workspace_id):
        known = Meeting.objects.count()
        problems = [m.calendar_problem for m in Mailbox.objects.exclude(calendar_problem="")]
        read = Mailbox.objects.filter(calendar_read_through__isnull=False).count()
    scene.wrong += [f"the calendar was not read: {each}" for each in problems]
    if read != len(scene.mailboxes):
        scene.wrong.append("a calendar was not read at all")
    wanted = sum(case.rows for case in scene.cases)
    if known != wanted:
        scene.wrong.append(f"look {number}: {known} meetings are known instead of {wanted}")


def _judge(scene: Scene, case: Case, number: int) -> None:
    expected = case.expected[number]
    if not expected:
        return
    with inside(scene.workspace_id):
        contact = Contact.objects.get(email_index=index(scene.workspace_id, "address", case.address))
        rows = list(Meeting.objects.filter(contact=contact).order_by("starts_at"))
        history = set(Rung.objects.filter(meeting__contact=contact).values_list("rung", flat=True))
        enrolment = Enrolment.objects.get(contact=contact)
        found = [each.rung for each in rows]
        counted = sum(each.counts for each in rows)
    where = f"look {number}, {case.kind}"
    scene.figures["rows_judged"] += len(rows)
    if len(rows) != case.rows:
        scene.wrong.append(f"{where}: {len(rows)} rows instead of {case.rows}")
        return
    if found[0] != expected or (
        number and case.kind != "a_series_with_exceptions" and set(found) != {expected}
    ):
        scene.wrong.append(f"{where}: {found} instead of {expected}")
    if rows[0].match != case.match:
        scene.wrong.append(f"{where}: recognised by {rows[0].match}")
    if counted != case.counted:
        scene.wrong.append(f"{where}: counts {counted} times")
    if number and not history >= set(case.history):
        scene.wrong.append(f"{where}: its history is {sorted(history)}")
    if case.stops != (enrolment.state == Enrolment.State.STOPPED):
        scene.wrong.append(
            f"{where}: its enrolment is {enrolment.state}: {enrolment.reason} ({case.address})"
        )
    if case.match != "company" and rows[0].message_id is None:
        scene.wrong.append(f"{where}: it is owed to no mail")
    if case.kind == "private" and content.open(rows[0], "subject") is not None:
        scene.wrong.append(f"{where}: the subject of a private meeting is kept")
    if case.kind == "a_whole_day" and rows[0].first_local_date is None:
        scene.wrong.append(f"{where}: it is no matter of dates")


def _ours(event: Event) -> bool:
    return any("GatepostBriefKey".lower() in name.lower() for name in event.properties)


def _everything_but_ours(scene: Scene) -> dict[str, bytes]:
    """Every copy of every event, byte for byte, but for our own briefs."""
    return {key: orjson.dumps(each) for key, each in scene.of.store.events.items() if not _ours(each)}


def _mails(scene: Scene) -> int:
    return len(scene.of.store.messages)


def _briefs_at_microsoft(scene: Scene) -> dict[str, Event]:
    """Our own events by their key."""
    return {
        value: event
        for event in scene.of.store.events.values()
        for name, value in event.properties.items()
        if "gatepostbriefkey" in name.lower()
    }


def _judge_briefs(scene: Scene) -> dict[str, Event]:
    """One stands beside each meeting that is on and ahead, and nowhere else; private, and without attendees."""
    shown = _briefs_at_microsoft(scene)
    with inside(scene.workspace_id):
        rows = {str(pk) for pk in Brief.objects.exclude(event_id="").values_list("pk", flat=True)}
        ahead = Meeting.objects.filter(rung__in=STANDING, brief_on_calendar=True).count()
    if rows != set(shown) or len(shown) != ahead or not shown:
        scene.wrong.append(
            f"{len(shown)} briefs stand in calendars, {len(rows)} are known to, of {ahead} meetings"
        )
    if any(each.attendees or each.sensitivity != "private" for each in shown.values()):
        scene.wrong.append("a brief is not private, or has attendees")
    return shown


def _switch_briefs(scene: Scene) -> None:
    """Off and on again in mid-run removes and restores exactly what was ours."""
    before, shown = _everything_but_ours(scene), _judge_briefs(scene)
    scene.figures["briefs"] = len(shown)
    features.switch(scene.workspace_id, "briefs", False, actor=accounts.INSTALLER)
    _look(scene, 0)
    if _briefs_at_microsoft(scene):
        scene.wrong.append(f"{len(_briefs_at_microsoft(scene))} briefs are left after they were switched off")
    features.switch(scene.workspace_id, "briefs", True, actor=accounts.INSTALLER)
    _look(scene, 0)
    again = _briefs_at_microsoft(scene)
    same = {key: (each.subject, each.body, each.start, each.end) for key, each in shown.items()}
    restored = {key: (each.subject, each.body, each.start, each.end) for key, each in again.items()}
    if same != restored:
        scene.wrong.append("switched on again, not exactly the same briefs are back")
    if before != _everything_but_ours(scene):
        scene.wrong.append("switching briefs changed an event that is not ours")


def _judge_what_was_read(scene: Scene) -> None:
    """Of an event that is none of our business no detail has even left Microsoft, and one number is kept."""
    detailed = 0
    for request in scene.of.store.logged(0, 10_000_000):
        for item in request["items"]:
            names = {name.lower() for name in item.get("fields", ())}
            if item.get("kind") == "event" and names & {
                "subject",
                "body",
                "bodypreview",
                "location",
                "locations",
            }:
                detailed += item["iCalUId"] in scene.unrelated
    scene.figures["unrelated_details_read"] = detailed
    if detailed:
        scene.wrong.append(f"details of {detailed} unrelated events were asked for")
    with inside(scene.workspace_id):
        texts = [
            content.open(row, column) or ""
            for row, column in [
                *((each, "subject") for each in Meeting.objects.all()),
                *((each, "text") for each in Brief.objects.all()),
            ]
        ]
        counts = list(CalendarCount.objects.filter(mailbox=scene.mailboxes[ALICE]))
    stored = sum(CANARY in each for each in texts)
    scene.figures["unrelated_details_stored"] = stored
    if stored:
        scene.wrong.append(f"{stored} unrelated details are stored")
    scene.figures["numbers_kept"] = len(counts)
    scene.figures["dropped"] = counts[-1].without_contact if counts else 0
