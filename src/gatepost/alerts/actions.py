"""Judging what was opened, and choosing what is usual."""

from typing import Any
from uuid import UUID

from gatepost.accounts.models import Workspace
from gatepost.alerts import queries, rules
from gatepost.alerts.models import Alert
from gatepost.audit import tags
from gatepost.audit.record import Actor, job, record
from gatepost.chains.queries import last_link
from gatepost.errors import BadInput
from gatepost.isolation import inside
from gatepost.mailboxes import notices
from gatepost.mailboxes.models import Notice
from gatepost.post.letters import send

LETTER = "alerts.alert"  # written in alerts/letters.py
BY_WATCHING = job("alerts.watch")


def watch(workspace_id: UUID) -> int:
    """Every text that was opened and stands in the chain has been judged, once. Returns how many alerts came of it."""
    raised = 0
    while True:
        with inside(workspace_id):
            workspace = Workspace.objects.select_for_update(no_key=True).get(pk=workspace_id)
            after, last = workspace.watched_through, last_link(workspace_id)
            if last is None or last.through <= after:
                return raised
            found, through = queries.opened(workspace_id, after=after, through=last.through)
            for by in found:
                raised += _judge(by, workspace, before=after)
            workspace.watched_through = through
            workspace.save(update_fields=["watched_through"])


def _judge(by: queries.Opened, workspace: Workspace, *, before: int) -> int:
    member, token = queries.member_of(by)
    reader = queries.reader_of(by, member, workspace, before=before)
    new = 0
    for each in rules.unusual(by.reads, reader, rules.Limits.chosen(workspace.usual_access)):
        alert, is_new = Alert.objects.get_or_create(
            workspace_id=workspace.pk, cause=each.cause, reader_id=by.id, key=each.key,
            defaults={
                "at": each.at, "reason": each.reason, "member": member, "token": token, "texts": each.texts,
                "mailbox_ids": list(each.mailboxes),
            },
        )  # fmt: skip
        if is_new:
            _tell(alert)
            new += 1
    return new


def _tell(alert: Alert) -> None:
    """The owners and whoever's mailboxes these are find it in the app, and by letter."""
    told = list(queries.to_tell(alert.mailbox_ids))
    for member in told:
        notice = notices.tell(member, Notice.Kind.ACCESS, about=str(alert.pk), by_letter=False)
        send(LETTER, workspace_id=alert.workspace_id, about=notice.pk)
    record(
        BY_WATCHING, tags.ALERT_RAISE, alert, mailbox_id=alert.mailbox_ids[0] if len(alert.mailbox_ids) == 1 else None,
        cause=alert.cause, reader=str(alert.reader_id), texts=alert.texts, told=len(told),
    )  # fmt: skip


def choose(workspace_id: UUID, limits: rules.Limits, *, actor: Actor) -> None:
    """From now on this is usual. Raises BadInput; then nothing is changed."""
    problem = rules.problem_with(limits)
    if problem:
        raise BadInput(problem)
    chosen: dict[str, Any] = {
        "texts_an_hour": limits.texts_an_hour, "night_begins": f"{limits.night_begins:%H:%M}",
        "night_ends": f"{limits.night_ends:%H:%M}",
    }  # fmt: skip
    with inside(workspace_id):
        workspace = Workspace.objects.select_for_update(no_key=True).get(pk=workspace_id)
        workspace.usual_access = chosen
        workspace.save(update_fields=["usual_access"])
        record(actor, tags.ALERT_CHOOSE, workspace, workspace_id=workspace_id, **chosen)
