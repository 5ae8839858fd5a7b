"""The pages of sequences: the list, one sequence, its editor with a preview, enrolling, and tasks."""

from collections import Counter
from dataclasses import replace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from gatepost import clock
from gatepost.accounts.membership import by, page
from gatepost.audit.reveal import reveal
from gatepost.contacts.models import Contact
from gatepost.contacts.queries import field_names
from gatepost.contacts.queries import row_of as contact_row
from gatepost.errors import BadInput
from gatepost.isolation import inside
from gatepost.mailboxes.models import Mailbox
from gatepost.mailboxes.queries import require_may_read, require_may_send_from
from gatepost.sequences import absences, actions, enrolments, forms, lists, queries
from gatepost.sequences import upcoming as to_come
from gatepost.sequences.edits import EVERYBODY, WHO, Change, difference
from gatepost.sequences.models import Enrolment, Sequence, Task
from gatepost.sequences.preview import FIELDS, Preview, compose, seed_of
from gatepost.sequences.queries import would_send_now
from gatepost.sequences.tasks import end_task
from gatepost.snippets.queries import known_names
from gatepost.text.templates import TemplateError
from gatepost.vault import names
from gatepost.web.pages import page_of
from gatepost.web.parameters import change_in, id_in, moment_in
from gatepost.web.weeks import span_in

AT_ONCE = 1_000  # enrolled by one press of a button: more would keep the browser waiting


@page
def sequences(request: Any) -> HttpResponse:
    found = page_of(
        Sequence.objects.select_related("member"), by="created_at", after=request.GET.get("after", "")
    )
    return render(
        request, "sequences/sequences.html", {"rows": replace(found, rows=lists.rows_of(found.rows))}
    )


@page(write=True)
def new(request: Any) -> HttpResponse:
    form = forms.NewSequence(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = actions.create_sequence(request.workspace.id, form.cleaned_data["name"], member=request.member)
        return redirect("sequences:edit", made.pk)
    return render(request, "sequences/new.html", {"form": form})


@page
def naming(request: Any, snippet: str) -> HttpResponse:
    """The sequences that name a snippet; a part of its page."""
    return render(request, "sequences/naming.html", {"sequences": queries.sequences_naming(snippet)})


@page
def would_send(request: Any) -> HttpResponse:
    """A part of the page about a restored database: what leaves as soon as sending goes on."""
    due = would_send_now(request.workspace.id)
    rows = [(each, contact_row(each.contact)) for each in due[:50]]
    return render(request, "sequences/would_send.html", {"rows": rows, "count": len(due)})


@page
def sequence(request: Any, sequence_id: UUID) -> HttpResponse:
    found = get_object_or_404(Sequence.objects.select_related("member"), pk=sequence_id)
    state = request.GET.get("state", "")
    enrolled = page_of(lists.enrolments(found, state), by="created_at", after=request.GET.get("after", ""))
    context = {
        "sequence": found,
        "counts": lists.rows_of([found])[0].counts,
        "steps": lists.step_rows(found),
        "rows": replace(enrolled, rows=[lists.row_of(each, now=clock.now()) for each in enrolled]),
        "state": state,
        "states": Enrolment.State.choices,
    }
    return render(request, "sequences/sequence.html", context)


@page(write=True)
def edit(request: Any, sequence_id: UUID) -> HttpResponse:
    """The editor. Adding, moving and removing steps changes the page only; Save stores them all."""
    steps: list[forms.StepForm] | None = None
    problem, changes = "", []
    _require_change(request, sequence_id)
    if request.method == "POST":
        steps = forms.steps_in(request.POST)
        order = request.POST.get("do", "save")
        if order == "save":
            changes = _to_confirm(request, sequence_id, steps)
            problem = "" if changes else _save(request, sequence_id, steps)
            if not problem and not changes:
                messages.success(request, _("Saved."))
                return redirect("sequences:sequence", sequence_id)
        else:
            steps = forms.rearranged(steps, order)
    with inside(request.workspace.id):
        found = get_object_or_404(Sequence, pk=sequence_id)
        if steps is None:
            steps = [forms.StepForm.of(draft) for draft in lists.drafts_of(found)] or [forms.StepForm()]
        context = {
            "sequence": found,
            "steps": steps,
            "problem": problem,
            "changes": changes,
            "running": found.enrolments.filter(state__in=actions.RUNNING).count(),
            "kinds": forms.KINDS,
            "conditions": forms.CONDITIONS,
            "fields": {**FIELDS, **{column: _("a field of your own") for column in field_names()}},
            "units": forms.UNITS,
            "contacts": lists.contacts_to_preview(request.workspace.id),
            "schedule": forms.schedule_of(found.window, found.time_zone),
            "life": forms.life_of(found),
            "snippets": sorted(known_names()),
        }
        return render(request, "sequences/edit.html", context)


@page(write=True)
@require_POST
def preview(request: Any, sequence_id: UUID) -> HttpResponse:
    """The steps as they stand in the editor, filled for one contact. Nothing is stored."""
    steps = forms.steps_in(request.POST)
    with inside(request.workspace.id):
        found = get_object_or_404(Sequence, pk=sequence_id)
        contact_id = id_in(request.POST, "contact")
        contact = (
            Contact.objects.select_related("company").filter(pk=contact_id).first() if contact_id else None
        )
        mailbox = Mailbox.objects.filter(member=request.member).order_by("state", "connected_at").first()
        filled = _filled(found, steps, contact, mailbox) if contact else []
        return render(request, "sequences/preview.html", {"previews": filled, "contact": contact})


@page(write=True)
@require_POST
def schedule(request: Any, sequence_id: UUID) -> HttpResponse:
    _require_change(request, sequence_id)
    form = forms.Schedule(request.POST)
    if not form.is_valid():
        problem = next(iter(form.errors.values()))[0]
        raise BadInput(_("The sending hours were not saved: %(problem)s") % {"problem": problem})
    actions.change_schedule(
        sequence_id,
        form.window(),
        form.cleaned_data["time_zone"],
        workspace_id=request.workspace.id,
        actor=by(request.member),
    )
    messages.success(request, _("The sending hours are saved."))
    return redirect("sequences:edit", sequence_id)


@page(write=True)
@require_POST
def life(request: Any, sequence_id: UUID) -> HttpResponse:
    """When it waits and pauses, and whom it leaves alone."""
    _require_change(request, sequence_id)
    form = forms.Life(request.POST)
    if not form.is_valid():
        name, problems = next(iter(form.errors.items()))
        raise BadInput(
            _("Nothing was saved: %(name)s: %(problem)s") % {"name": form[name].label, "problem": problems[0]}
        )
    actions.change_life(
        sequence_id, workspace_id=request.workspace.id, actor=by(request.member), **form.cleaned_data
    )
    messages.success(request, _("Saved."))
    return redirect("sequences:edit", sequence_id)


@page
def dry_run(request: Any, sequence_id: UUID) -> HttpResponse:
    """What would go when, day by day, if some contacts were enrolled now. Nothing is stored."""
    found = get_object_or_404(Sequence, pk=sequence_id)
    chosen = id_in(request.GET, "contact") if request.GET.get("contact") else None
    contacts = list(
        Contact.objects.filter(pk=chosen)
        if chosen
        else lists.may_be_enrolled(request.workspace.id, found)[: lists.MOST_IN_A_RUN]
    )
    mailbox = lists.mailbox_of(request.member)
    context = {
        "sequence": found,
        "days": lists.dry_run_of(found, contacts, mailbox, start=clock.now()),
        "contacts": lists.contacts_to_preview(request.workspace.id),
        "chosen": chosen,
        "count": len(contacts),
        "mailbox": mailbox,
        "address": (names.open(mailbox, "address") or "") if mailbox else "",
    }
    return render(request, "sequences/dry_run.html", context)


@page(write=True)
@require_POST
def archive(request: Any, sequence_id: UUID) -> HttpResponse:
    _require_change(request, sequence_id)
    actions.archive(sequence_id, workspace_id=request.workspace.id, actor=by(request.member))
    messages.success(request, _("Archived. Whoever was still in it is being stopped; nothing more leaves."))
    return redirect("sequences:sequence", sequence_id)


@page
def upcoming(request: Any) -> HttpResponse:
    """Steps whose time has not come: what will stand in the outbox, the next one first."""
    found = page_of(
        to_come.upcoming(request.member), by="due_at", after=request.GET.get("after", ""), newest_first=False
    )
    context = {
        "rows": replace(found, rows=to_come.rows_of(found.rows)),
        "part": "upcoming",
        "zone": request.workspace.time_zone,
    }
    return render(request, "sequences/upcoming.html", context)


@page(write=True)
@require_POST
def change_upcoming(request: Any) -> HttpResponse:
    """One of upcoming.CHANGES to one step to come, or to all that are ticked."""
    name, ids = change_in(request.POST, "enrolment")
    if name not in to_come.CHANGES:
        raise BadInput(_("Choose what to do: now, postpone or leave out."))
    until = moment_in(request.POST, "until", request.workspace.time_zone) if name == "postpone" else None
    with inside(request.workspace.id):
        found = list(Enrolment.objects.select_related("mailbox").filter(pk__in=ids))
        for each in found:
            require_may_send_from(request.member, each.mailbox)
    if not found:
        raise Http404
    done = to_come.change_each(
        [each.pk for each in found], name, until, workspace_id=request.workspace.id, actor=by(request.member)
    )
    if done.count:
        told = ngettext("Done: %(n)s step.", "Done: %(n)s steps.", done.count) % {"n": done.count}
        messages.success(request, told)
    for reason in sorted(set(done.left_out)):
        messages.warning(request, reason)
    return redirect("upcoming")


@page(write=True)
def days_off(request: Any) -> HttpResponse:
    """A member's days off: the list, and new ones."""
    form = forms.DaysOff(request.POST or None)
    if request.method == "POST" and form.is_valid():
        absences.take_days_off(
            request.member,
            form.cleaned_data["first"],
            form.cleaned_data["last"],
            stand_in_id=form.cleaned_data["stand_in"],
            actor=by(request.member),
        )
        messages.success(request, _("Noted. Your steps wait until you are back."))
        return redirect("sequences:days_off")
    others = Mailbox.objects.filter(state=Mailbox.State.CONNECTED).exclude(member=request.member)
    context = {
        "form": form,
        "rows": [
            (each, (names.open(each.stand_in, "address") or "") if each.stand_in else "")
            for each in lists.absences(request.member)
        ],
        "stand_ins": [
            (each.pk, names.open(each, "address") or "") for each in others.order_by("connected_at")
        ],
    }
    return render(request, "sequences/days_off.html", context)


@page(write=True)
@require_POST
def give_back(request: Any, absence_id: UUID) -> HttpResponse:
    with inside(request.workspace.id):
        get_object_or_404(lists.absences(request.member), pk=absence_id)
    absences.give_back_days_off(absence_id, workspace_id=request.workspace.id, actor=by(request.member))
    messages.success(request, _("Removed. What had waited for it goes on when its hours open."))
    return redirect("sequences:days_off")


@page(write=True)
@require_POST
def activate(request: Any, sequence_id: UUID) -> HttpResponse:
    _require_change(request, sequence_id)
    actions.activate(sequence_id, workspace_id=request.workspace.id, actor=by(request.member))
    messages.success(request, _("Active. Steps go out when they are due."))
    return redirect("sequences:sequence", sequence_id)


@page(write=True)
@require_POST
def pause(request: Any, sequence_id: UUID) -> HttpResponse:
    _require_change(request, sequence_id)
    actions.pause(sequence_id, workspace_id=request.workspace.id, actor=by(request.member))
    messages.success(request, _("Paused. Nothing of it leaves until you activate it again."))
    return redirect("sequences:sequence", sequence_id)


@page(write=True)
def enrol(request: Any, sequence_id: UUID) -> HttpResponse:
    if request.method == "POST":
        return _enrol(request, sequence_id)
    found = get_object_or_404(Sequence, pk=sequence_id)
    text = request.GET.get("search", "").strip()
    in_spite = "in_spite" in request.GET and lists.may_override(request.member)
    free = lists.may_be_enrolled(request.workspace.id, found, text, in_spite=in_spite)
    listed = page_of(free, by="created_at", after=request.GET.get("after", ""))
    context = {
        "sequence": found,
        "rows": replace(listed, rows=[contact_row(each) for each in listed]),
        "search": text,
        "mailboxes": lists.mailboxes_to_send_from(request.member),
        "at_once": AT_ONCE,
        "may_override": lists.may_override(request.member),
        "in_spite": in_spite,
    }
    return render(request, "sequences/enrol.html", context)


@page(write=True)
@require_POST
def stop(request: Any, enrolment_id: UUID) -> HttpResponse:
    enrolments.stop(
        enrolment_id,
        Enrolment.Cause.BY_HAND,
        _("stopped by %(name)s") % {"name": request.member.name},
        workspace_id=request.workspace.id,
        actor=by(request.member),
    )
    messages.success(request, _("Stopped. What had not left is cancelled."))
    return redirect("sequences:sequence", _sequence_of(request, enrolment_id))


@page(write=True)
@require_POST
def resume(request: Any, enrolment_id: UUID) -> HttpResponse:
    enrolments.resume(enrolment_id, workspace_id=request.workspace.id, actor=by(request.member))
    messages.success(request, _("It goes on."))
    return redirect("sequences:sequence", _sequence_of(request, enrolment_id))


@page
def tasks(request: Any) -> HttpResponse:
    """Follow-ups that a person sends by hand."""
    state = request.GET.get("state", Task.State.OPEN)
    state = state if state in Task.State.values else Task.State.OPEN
    chosen = lists.ChosenTasks(
        sequence_id=id_in(request.GET, "sequence"),
        step_id=id_in(request.GET, "step"),
        variant_id=id_in(request.GET, "variant"),
        member_id=id_in(request.GET, "member"),
        company_id=id_in(request.GET, "company"),
        answer=request.GET.get("answer", ""),
        ended_within=span_in(request.GET, ZoneInfo(request.workspace.time_zone)),
    )
    found = page_of(
        lists.tasks_of(request.member, state, chosen),
        by="created_at",
        after=request.GET.get("after", ""),
        newest_first=state != Task.State.OPEN,
    )
    context = {
        "rows": replace(found, rows=[lists.task_row(each) for each in found]),
        "state": state,
        "states": Task.State.choices,
        "narrowed": chosen != lists.ChosenTasks(),
    }
    return render(request, "sequences/tasks.html", context)


@page
def count_tasks(request: Any) -> HttpResponse:
    """How many follow-ups are the member's to send, as a part of other pages."""
    return render(request, "sequences/count_tasks.html", {"count": lists.tasks_of(request.member).count()})


@page
def task(request: Any, task_id: UUID) -> HttpResponse:
    """One task with its text, ready to copy. That somebody opened it is in the record."""
    with inside(request.workspace.id):
        found = get_object_or_404(
            Task.objects.select_related("contact", "mailbox", "enrolment__sequence"), pk=task_id
        )
        if request.method != "POST":
            require_may_read(request.member, found.mailbox)
            texts = reveal(by(request.member), found, "subject", "body", reason="task page")
            row = lists.task_row(found)
            context = {
                "row": row,
                "to": names.open(found.contact, "email") or "",
                "phone": names.open(found.contact, "phone") or "",
                **texts,
            }
            return render(request, "sequences/task.html", context)
        require_may_send_from(request.member, found.mailbox)
    done = request.POST.get("do") == "done"
    end_task(
        task_id,
        done,
        workspace_id=request.workspace.id,
        actor=by(request.member),
        subject=request.POST.get("subject"),
        body=request.POST["body"].replace("\r\n", "\n") if "body" in request.POST else None,
    )
    if not done:
        words = _("Skipped.")
    elif found.kind == Task.Kind.APPROVAL:
        words = _("Approved. It leaves when its mailbox may send.")
    else:
        words = _("Done. The next step is due after its delay.")
    messages.success(request, words)
    return redirect("sequences:tasks")


def _require_change(request: Any, sequence_id: UUID) -> None:
    with inside(request.workspace.id):
        lists.require_may_change(request.member, sequence_id)


def _to_confirm(request: Any, sequence_id: UUID, steps: list[forms.StepForm]) -> list[Change]:
    """What the edit changes, where somebody is in the sequence and it was not said yet who gets it."""
    if request.POST.get("who") in WHO:
        return []
    with inside(request.workspace.id):
        found = get_object_or_404(Sequence, pk=sequence_id)
        if not found.enrolments.filter(state__in=actions.RUNNING).exists():
            return []
        return difference(lists.drafts_of(found), [step.draft() for step in steps])


def _save(request: Any, sequence_id: UUID, steps: list[forms.StepForm]) -> str:
    """ "" when saved; else the sentence for the top of the page, and each step's problems at its fields."""
    drafts = [step.draft() for step in steps]
    try:
        actions.save_steps(
            sequence_id,
            drafts,
            workspace_id=request.workspace.id,
            actor=by(request.member),
            who=request.POST.get("who", EVERYBODY),
        )
    except actions.BadTemplate as error:
        forms.show_problems(steps, error)
        return _("Not saved yet: a step needs a change. It is marked below.")
    except BadInput as error:
        return error.message
    return ""


def _filled(
    sequence: Sequence, steps: list[forms.StepForm], contact: Contact, mailbox: Mailbox | None
) -> list[Preview | TemplateError]:
    filled: list[Preview | TemplateError] = []
    thread_subject = ""
    for position, step in enumerate(steps, 1):
        if not step.is_mail:
            continue
        seed = seed_of(sequence, contact, position)
        try:
            mail = compose(
                step.subject, step.body, contact, mailbox, thread_subject=thread_subject, seed=seed
            )
        except TemplateError as error:
            filled.append(error)
            continue
        thread_subject = mail.subject.removeprefix("Re: ")
        filled.append(mail)
    return filled


def _enrol(request: Any, sequence_id: UUID) -> HttpResponse:
    mailbox_id = id_in(request.POST, "mailbox")
    if mailbox_id is None:
        raise BadInput(_("Choose the mailbox to send from."))
    in_spite = request.POST.get("in_spite", "").strip()
    with inside(request.workspace.id):
        lists.require_may_enrol(request.member, mailbox_id)
        if in_spite:
            lists.require_may_override(request.member)
    if "all" in request.POST:
        text = request.POST.get("search", "").strip()
        with inside(request.workspace.id):
            found = get_object_or_404(Sequence, pk=sequence_id)
            chosen = list(
                lists.may_be_enrolled(request.workspace.id, found, text, in_spite=bool(in_spite)).values_list(
                    "pk", flat=True
                )[:AT_ONCE]
            )
    else:
        chosen = [contact for contact in map(_as_id, request.POST.getlist("contact")) if contact]
    if not chosen:
        raise BadInput(_("Tick at least one contact."))
    done = enrolments.enrol(
        sequence_id,
        chosen,
        mailbox_id,
        workspace_id=request.workspace.id,
        actor=by(request.member),
        in_spite=in_spite,
    )
    messages.success(request, _("%(count)s enrolled.") % {"count": done.count})
    if done.skipped:
        return _left_out(request, sequence_id, done)
    return redirect("sequences:sequence", sequence_id)


def _left_out(request: Any, sequence_id: UUID, done: enrolments.Enrolled) -> HttpResponse:
    """Who was left out and why, by name; shown once, nothing of it is stored."""
    with inside(request.workspace.id):
        contacts = Contact.objects.select_related("company").in_bulk([each for each, _why in done.skipped])
        context = {
            "sequence": get_object_or_404(Sequence, pk=sequence_id),
            "count": done.count,
            "counts": Counter(why for _each, why in done.skipped).most_common(),
            "rows": [(contact_row(contacts[each]), why) for each, why in done.skipped if each in contacts],
        }
        return render(request, "sequences/left_out.html", context)


def _as_id(text: str) -> UUID | None:
    return id_in({"id": text}, "id")


def _sequence_of(request: Any, enrolment_id: UUID) -> UUID:
    with inside(request.workspace.id):
        return get_object_or_404(Enrolment, pk=enrolment_id).sequence_id


@page
def waiting(request: Any, mailbox_id: UUID) -> HttpResponse:
    """How many steps of a mailbox are due and wait; a part of its page."""
    mailbox = get_object_or_404(Mailbox, pk=mailbox_id)
    waits = queries.waiting_steps(mailbox, clock.now())
    return render(request, "sequences/waiting.html", {"waits": waits})
