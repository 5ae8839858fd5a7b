"""The inbox, one conversation, and what happened with a contact."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _later
from django.views.decorators.http import require_POST

from gatepost import clock
from gatepost.accounts.membership import by, page
from gatepost.accounts.rules import Ability
from gatepost.contacts.models import Contact
from gatepost.contacts.queries import display_name
from gatepost.conversations import actions, lists, rules
from gatepost.conversations.models import Conversation, Reply
from gatepost.errors import BadInput
from gatepost.isolation import inside
from gatepost.sequences.lists import tasks_of
from gatepost.snippets import queries as snippets
from gatepost.web.labels import LABELS
from gatepost.web.pages import page_of
from gatepost.web.parameters import id_in
from gatepost.web.weeks import span_in


@page
def inbox(request: Any) -> HttpResponse:
    asked = request.GET
    chosen = lists.Chosen(
        part=asked["part"] if asked.get("part") in lists.PARTS else "open",
        label=asked.get("label", ""),
        answered="answered" in asked,
        sequence_id=id_in(asked, "sequence"),
        step_id=id_in(asked, "step"),
        member_id=id_in(asked, "member"),
        variant_id=id_in(asked, "variant"),
        company_id=id_in(asked, "company"),
        opted_out="opted_out" in asked,
        promised="promised" in asked,
        replied_within=span_in(asked, ZoneInfo(request.workspace.time_zone)),
        mailed_within=span_in(asked, ZoneInfo(request.workspace.time_zone), prefix="mailed_"),
    )
    found = lists.listed(lists.chosen_conversations(chosen), request.member)
    rank = "urgency" if chosen.part == "open" else ""
    rows = page_of(found, by="last_reply_at", after=asked.get("after", ""), rank=rank)
    context = {
        "rows": replace(rows, rows=[lists.row_of(each) for each in rows]),
        "chosen": chosen,
        "labels": lists.label_counts(request.member),
        "members": lists.helpers(),
        "sequences": lists.sequences_answered(),
        "snoozes": SNOOZES,
        "narrowed": chosen != lists.Chosen(part=chosen.part, label=chosen.label),
        "tasks": tasks_of(request.member).count(),
    }
    return render(request, "conversations/inbox.html", context)


@page
def conversation(request: Any, conversation_id: UUID) -> HttpResponse:
    """One conversation with its texts. Opening them is recorded; the mailbox's owner can see by whom."""
    found = get_object_or_404(
        Conversation.objects.select_related("contact", "mailbox", "enrolment__sequence", "assigned_to"),
        pk=conversation_id,
    )
    lists.require_may_open(request.member, found)
    if found.unread and (found.assigned_to_id or found.mailbox.member_id) == request.member.pk:
        Conversation.objects.filter(pk=found.pk).update(unread=False)
    context = {
        "row": lists.row_of(found),
        "letters": lists.letters(found, by(request.member), reason="conversation page"),
        "promises": lists.promises_of(found, by(request.member), reason="conversation page"),
        "labels": LABELS.values(),
        "why_not": actions.why_not_answered(found),
        "snippets": snippets.rows(),
        "compose_id": uuid4(),
        "members": lists.helpers(),
        "snoozes": SNOOZES,
    }
    return render(request, "conversations/conversation.html", context)


@page
def reply(request: Any, reply_id: UUID) -> HttpResponse:
    """Its place in its conversation."""
    conversation_id = get_object_or_404(Reply.objects.only("conversation_id"), pk=reply_id).conversation_id
    return redirect(f"{reverse('conversations:conversation', args=[conversation_id])}#reply-{reply_id}")


def _conversation(request: Any, conversation_id: UUID) -> Conversation:
    """The conversation that a form is about. Raises NotAllowed."""
    with inside(request.workspace.id):
        found = get_object_or_404(Conversation.objects.select_related("mailbox"), pk=conversation_id)
        lists.require_may_open(request.member, found)
    return found


# How long a conversation can be put off from the page; the API takes any moment.
SNOOZES = {
    "tomorrow": (timedelta(days=1), _later("until tomorrow")),
    "3-days": (timedelta(days=3), _later("for three days")),
    "week": (timedelta(days=7), _later("for a week")),
    "month": (timedelta(days=30), _later("for a month")),
}
MORNING = time(8)


@page(write=True)
@require_POST
def snooze(request: Any, conversation_id: UUID) -> HttpResponse:
    """Until eight o'clock of a morning by the workspace's clock; "now" brings it back."""
    found = _conversation(request, conversation_id)
    chosen, until = request.POST.get("until", ""), None
    if chosen in SNOOZES:
        zone = ZoneInfo(request.workspace.time_zone)
        day = (clock.now() + SNOOZES[chosen][0]).astimezone(zone).date()
        until = datetime.combine(day, MORNING, zone).astimezone(UTC)
    elif chosen != "now":
        raise BadInput(_("Say until when to snooze it."))
    actions.snooze(found.pk, until, workspace_id=request.workspace.id, actor=by(request.member))
    messages.success(
        request, _("Snoozed. A reply brings it back.") if until else _("It is back in the inbox.")
    )
    return redirect("conversations:inbox")


@page(write=True)
@require_POST
def assign(request: Any, conversation_id: UUID) -> HttpResponse:
    found = _conversation(request, conversation_id)
    actions.assign(
        found.pk, id_in(request.POST, "member"), workspace_id=request.workspace.id, actor=by(request.member)
    )
    messages.success(request, _("Given on."))
    return redirect("conversations:inbox")


@page(write=True)
@require_POST
def answer(request: Any, conversation_id: UUID) -> HttpResponse:
    with inside(request.workspace.id):
        found = get_object_or_404(Conversation.objects.select_related("mailbox"), pk=conversation_id)
        lists.require_may_open(request.member, found)
    actions.answer(
        found.pk,
        request.POST.get("text", ""),
        compose_id=id_in(request.POST, "compose_id") or uuid4(),
        workspace_id=request.workspace.id,
        actor=by(request.member),
    )
    messages.success(request, _("Your answer is in the outbox and leaves as soon as its mailbox may send."))
    return redirect("conversations:conversation", found.pk)


@page(write=True)
@require_POST
def done(request: Any, conversation_id: UUID) -> HttpResponse:
    found = _conversation(request, conversation_id)
    is_done = request.POST.get("done") == "yes"
    actions.mark_done(found.pk, workspace_id=request.workspace.id, done=is_done, actor=by(request.member))
    messages.success(request, _("Done.") if is_done else _("It is back in the inbox."))
    return redirect("conversations:inbox")


@page(write=True)
@require_POST
def correct_label(request: Any, reply_id: UUID) -> HttpResponse:
    with inside(request.workspace.id):
        reply = get_object_or_404(Reply.objects.select_related("conversation__mailbox"), pk=reply_id)
        lists.require_may_open(request.member, reply.conversation)
    label = request.POST.get("label", "")
    actions.correct_label(reply_id, label, workspace_id=request.workspace.id, actor=by(request.member))
    messages.success(request, _("The label is changed. The first one is kept beside it."))
    return redirect("conversations:conversation", reply.conversation_id)


@page(write=True)
@require_POST
def add_named(request: Any, reply_id: UUID) -> HttpResponse:
    """The person whom a reply names becomes a contact; their page is next."""
    with inside(request.workspace.id):
        reply = get_object_or_404(Reply.objects.select_related("conversation__mailbox"), pk=reply_id)
        lists.require_may_open(request.member, reply.conversation)
    contact = actions.add_named(reply_id, workspace_id=request.workspace.id, actor=by(request.member))
    messages.success(
        request,
        _(
            "Added, with this reply as the source. Nothing is sent to them unless you put them into a sequence."
        ),
    )
    return redirect("contacts:contact", contact.pk)


@page(changes=Ability.ADMINISTER)
def label_rules(request: Any) -> HttpResponse:
    """What follows from each label. Everybody may see it, administrators may change it."""
    if request.method == "POST":
        for label, rule in _rules_in(request.POST).items():
            actions.change_rule(label, rule, workspace_id=request.workspace.id, actor=by(request.member))
        messages.success(request, _("Saved. It holds for replies from now on."))
        return redirect("conversations:label_rules")
    return render(request, "conversations/label_rules.html", {"rows": lists.rule_rows()})


def _rules_in(form: Mapping[str, str]) -> dict[str, rules.Rule]:
    """The rules that the page's form gives; those of labels that cannot be weakened give their tasks only."""
    given: dict[str, rules.Rule] = {}
    for label, default in rules.DEFAULTS.items():
        if f"{label}-is-here" not in form:
            continue
        task = f"{label}-task" in form
        if label in rules.FIXED:
            given[label] = replace(default, task=task)
            continue
        days = form.get(f"{label}-cool-off", "") or "0"
        if not days.isdecimal():
            raise BadInput(_("A cool-off is a number of days."))
        given[label] = rules.Rule(
            course=form.get(f"{label}-course", ""),
            task=task,
            suppress=f"{label}-suppress" in form,
            cool_off_days=int(days),
            hold_company=f"{label}-hold-company" in form,
        )
    problems = [problem for label, rule in given.items() if (problem := rules.check(label, rule))]
    if problems:
        raise BadInput(problems[0])  # before anything is changed
    return given


@page
def corrections(request: Any) -> HttpResponse:
    """What members made of the program's labels: counted, and one by one."""
    found = page_of(lists.corrections(request.member), by="made_at", after=request.GET.get("after", ""))
    context = {"confusions": lists.confusions(request.member), "rows": found}
    return render(request, "conversations/corrections.html", context)


@page
def timeline(request: Any, contact_id: UUID) -> HttpResponse:
    """What happened with a contact, newest first, without texts."""
    contact = get_object_or_404(Contact, pk=contact_id)
    context = {"contact": contact, "name": display_name(contact), "events": _events(contact_id)}
    return render(request, "conversations/timeline.html", context)


def _events(contact_id: UUID) -> list[lists.Event]:
    enrolments, sent, replies = lists.history(contact_id)
    events = []
    for enrolment in enrolments:
        address = reverse("sequences:sequence", args=[enrolment.sequence_id])
        name = enrolment.sequence.name
        events.append(lists.Event(enrolment.created_at, "sequences", _("Enrolled in %s") % name, address))
        if enrolment.ended_at:
            why = enrolment.get_cause_display() or enrolment.get_state_display()
            words = _("%(name)s ended: %(why)s") % {"name": name, "why": why}
            events.append(lists.Event(enrolment.ended_at, "sequences", words, address))
    for message in sent:
        words = _("Step %d sent") % message.position
        at = message.accepted_at or message.planned_at
        events.append(lists.Event(at, "outbox", words, reverse("outbox:message", args=[message.pk])))
    for reply in replies:
        address = reverse("conversations:conversation", args=[reply.conversation_id])
        events.append(lists.Event(reply.received_at, "inbox", _("Answered"), address, reply.label))
    return sorted(events, key=lambda event: event.at, reverse=True)
