"""What a person is to do: steps that are tasks, mails to approve, replies to look at, promises to keep."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from gatepost import clock
from gatepost.audit import tags
from gatepost.audit.record import Actor, record
from gatepost.errors import BadInput, Conflict
from gatepost.isolation import inside
from gatepost.sequences import windows
from gatepost.sequences.actions import BY_SENDING
from gatepost.sequences.enrolments import to_next_step
from gatepost.sequences.hours import hours_of
from gatepost.sequences.models import Enrolment, Task
from gatepost.sequences.preview import BY_REPLY
from gatepost.sequences.writing import as_written, came_before
from gatepost.vault.sealing import seal

# Why an enrolment waits for a person, by the kind of task; {} is the step's number.
WAITS_FOR = {
    Task.Kind.FOLLOW_UP: "step {} is yours to send: this mailbox sends first steps only",
    Task.Kind.APPROVAL: "step {} waits for your approval",
    Task.Kind.CALL: "step {} is a call, which waits in the tasks",
    Task.Kind.LINKEDIN: "step {} is for LinkedIn and waits in the tasks",
    Task.Kind.TASK: "step {} is a task and waits to be done",
}


def make_task(enrolment: Enrolment, position: int, kind: str) -> None:
    """The step waits for a person, with its text, and the enrolment for that person."""
    if not Task.objects.filter(enrolment=enrolment, position=position).exists():
        # An approved mail is signed when it leaves, and says then how to opt out, by a link of its own.
        written = as_written(
            enrolment, position, came_before([(enrolment, position)]), opt_out=BY_REPLY,
            signed=kind == Task.Kind.FOLLOW_UP,
        )  # fmt: skip
        if written is None:
            return
        hours = hours_of(enrolment)
        local_date = clock.now().astimezone(ZoneInfo(hours.time_zone)).date()
        task = Task(
            workspace_id=enrolment.workspace_id,
            kind=kind,
            mailbox=enrolment.mailbox,
            enrolment=enrolment,
            contact=enrolment.contact,
            step=written.step,
            position=position,
            variant_id=written.variant_id,
            created_at=clock.now(),
            due_at=None
            if kind == Task.Kind.FOLLOW_UP
            else _end_of(hours.working_days_after(local_date, written.step.task_days), hours),
        )
        seal(task, "subject", written.mail.subject)
        seal(task, "body", written.mail.body)
        task.save(force_insert=True)
        record(BY_SENDING, tags.TASK_MAKE, task, position=position, kind=kind)
    enrolment.due_at = None
    enrolment.reason = WAITS_FOR[Task.Kind(kind)].format(position)
    enrolment.save(update_fields=["due_at", "reason"])


def _end_of(local_date: date, hours: windows.Hours) -> datetime:
    after = datetime.combine(local_date + timedelta(days=1), time.min, ZoneInfo(hours.time_zone))
    return after.astimezone(UTC) - timedelta(minutes=1)


def end_task(
    task_id: UUID,
    done: bool,
    *,
    workspace_id: UUID,
    actor: Actor,
    subject: str | None = None,
    body: str | None = None,
) -> None:
    """A person did the task, or skips it. Raises Conflict where it was ended already.

    Done: an approved mail leaves when its mailbox may send, with `subject` and `body` where the person changed them;
    after anything else the next step is due after its delay. Skipped: the step is left out.
    """
    if done and body is not None and not body.strip():
        raise BadInput("The text is empty: nothing was approved. Write it, or skip this step.")
    with inside(workspace_id):
        task = Task.objects.select_for_update().get(pk=task_id)
        if task.state != Task.State.OPEN:
            raise Conflict("This task was ended already: it is " + task.get_state_display().lower() + ".")
        approved = done and task.kind == Task.Kind.APPROVAL
        if approved and body is not None:
            seal(task, "subject", " ".join((subject or "").split()))
            seal(task, "body", body.strip())
        task.state, task.ended_at = Task.State.DONE if done else Task.State.SKIPPED, clock.now()
        task.save()
        record(
            actor, tags.TASK_DONE if done else tags.TASK_SKIP, task, position=task.position, kind=task.kind
        )
        enrolment = (
            Enrolment.objects.select_for_update(of=("self",))
            .select_related("sequence", "contact", "mailbox")
            .get(pk=task.enrolment_id)
        )
        if enrolment.next_position != task.position:
            return
        if approved:
            if enrolment.state == Enrolment.State.ACTIVE:
                opening = hours_of(enrolment).opening(clock.now())
                enrolment.due_at, enrolment.reason = opening.at, opening.reason
                enrolment.save(update_fields=["due_at", "reason"])
            return
        to_next_step([(enrolment, clock.now())], skipped=not done)


def remind(enrolment_id: UUID, due_local_date: date, *, workspace_id: UUID) -> datetime:
    """A person is to get back to the contact on the day that he named; nothing goes out by itself. When that is.

    Inside the caller's transaction. A later promise of the same enrolment moves the day.
    """
    with inside(workspace_id):
        enrolment = Enrolment.objects.select_related("sequence", "contact", "mailbox").get(pk=enrolment_id)
        due_at = windows.resume_after(due_local_date, hours_of(enrolment), buffer_days=0)
        _ask_person(enrolment, Task.Kind.REMINDER, due_at)
    return due_at


def ask_about_reply(enrolment_id: UUID, reason: str, *, workspace_id: UUID) -> None:
    """A person is to look at a reply now. Inside the caller's transaction."""
    with inside(workspace_id):
        enrolment = Enrolment.objects.select_related("contact", "mailbox").get(pk=enrolment_id)
        _ask_person(enrolment, Task.Kind.REPLY, clock.now(), reason)


def _ask_person(enrolment: Enrolment, kind: str, due_at: datetime, reason: str = "") -> None:
    """What an enrolment asks of a person outside its steps stands at position 0; what is asked last counts."""
    known = Task.objects.filter(enrolment=enrolment, position=0).first()
    task = known or Task(
        workspace_id=enrolment.workspace_id,
        mailbox=enrolment.mailbox,
        enrolment=enrolment,
        contact=enrolment.contact,
        position=0,
        created_at=clock.now(),
    )
    task.kind, task.due_at, task.reason = kind, due_at, reason[:200]
    task.state, task.ended_at = Task.State.OPEN, None
    task.save()
    record(BY_SENDING, tags.TASK_MAKE, task, position=0, kind=task.kind)


def looked_at_reply(enrolment_id: UUID, *, workspace_id: UUID, actor: Actor) -> None:
    """The person who was asked about a reply, or to keep a promise whose day has come, has done it."""
    with inside(workspace_id):
        for task in Task.objects.filter(
            enrolment_id=enrolment_id, position=0, state=Task.State.OPEN, due_at__lte=clock.now()
        ):
            task.state, task.ended_at = Task.State.DONE, clock.now()
            task.save(update_fields=["state", "ended_at"])
            record(actor, tags.TASK_DONE, task, position=0, kind=task.kind)
