from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gatepost import clock
from gatepost.accounts.models import Member
from gatepost.audit import tags
from gatepost.audit.models import AuditEntry
from gatepost.conversations.lists import Piece, marked
from gatepost.conversations.models import Conversation, LabelRule, Reply
from gatepost.isolation import inside
from gatepost.web.pages import page_of
from tests.makers import (
    fresh,
    make_contact,
    make_enrolment,
    make_mailbox,
    make_member,
    make_sequence,
    make_workspace,
    rows,
)
from tests.pages import make_message, make_reply, rows_in, signed_in, text_of
from tests.sequences.test_tasks import make_task


def answered(
    member: Member, label: str = "interested", text: str = "Yes, let us talk.", words: str = ""
) -> Conversation:
    """A conversation in which a contact of its own answered our first step."""
    mailbox = make_mailbox(member, f"{member.name.lower()}@northwind.example")
    enrolment = make_enrolment(make_sequence(member), make_contact(member.workspace), mailbox)
    return make_reply(make_message(enrolment), label, text, words=words).conversation


def test_the_inbox_shows_a_reply_with_its_label_in_words(db: None) -> None:
    alice = make_member(make_workspace())
    answered(alice, "circle_back_later")
    page = signed_in(alice).get("/inbox/")
    assert rows_in(page) == 1
    assert "Petra Quandt" in text_of(page)
    assert "Circle back later" in text_of(page)


def test_the_inbox_says_how_many_tasks_wait_before_anybody_clicks_a_row_that_would_move(db: None) -> None:
    alice = make_member(make_workspace())
    assert "for you. To the tasks" not in text_of(signed_in(alice).get("/inbox/"))
    make_task(alice, make_mailbox(alice))
    assert "1 task waits for you. To the tasks" in text_of(signed_in(alice).get("/inbox/"))


def test_the_words_that_decided_the_label_are_marked(db: None) -> None:
    alice = make_member(make_workspace())
    conversation = answered(alice, text="Thanks. Yes, let us talk on Tuesday.", words="let us talk")
    page = signed_in(alice).get(f"/inbox/{conversation.pk}/").content.decode()
    assert "Thanks. Yes, <mark>let us talk</mark> on Tuesday." in page


@pytest.mark.parametrize(
    ("spans", "pieces"),
    [
        ([], ["ab cd ef"]),
        ([(0, 2)], ["[ab]", " cd ef"]),
        ([(3, 5), (4, 8)], ["ab ", "[cd]", " ", "[ef]"]),
        ([(6, 99)], ["ab cd ", "[ef]"]),
        ([(3, 3), (5, 2)], ["ab cd ef"]),
        ([(2, 6)], ["ab ", "[cd]", " ef"]),
        ([(4, 7)], ["ab ", "[cd ef]"]),
    ],
)
def test_marks_are_whole_words_and_may_touch_overlap_or_reach_too_far(
    spans: list[tuple[int, int]], pieces: list[str]
) -> None:
    def written(piece: Piece) -> str:
        return f"[{piece.text}]" if piece.marked else piece.text

    assert [written(piece) for piece in marked("ab cd ef", spans)] == pieces


def test_opening_a_conversation_is_recorded_for_each_text_and_ends_unread(db: None) -> None:
    alice = make_member(make_workspace())
    conversation = answered(alice)
    client = signed_in(alice)
    client.get("/inbox/")
    assert rows(AuditEntry, alice.workspace_id, tag=tags.CONTENT_READ) == []
    assert conversation.unread
    client.get(f"/inbox/{conversation.pk}/")
    opened = rows(AuditEntry, alice.workspace_id, tag=tags.CONTENT_READ)
    assert sorted(entry.detail["what"] for entry in opened) == ["message", "reply"]
    assert not fresh(conversation).unread


def test_a_team_lead_who_looks_leaves_it_unread_for_the_rep(db: None) -> None:
    workspace = make_workspace()
    conversation = answered(make_member(workspace, "Ben", role="rep"))
    lead = signed_in(make_member(workspace, "Lena", role="lead"))
    assert lead.get(f"/inbox/{conversation.pk}/").status_code == 200
    assert fresh(conversation).unread


def test_a_rep_sees_conversations_of_his_own_mailboxes_only(committed_db: None) -> None:
    workspace = make_workspace()
    conversation = answered(make_member(workspace))
    ben = signed_in(make_member(workspace, "Ben", role="rep"))
    assert rows_in(ben.get("/inbox/")) == 0
    assert ben.get(f"/inbox/{conversation.pk}/").status_code == 403
    assert ben.post(f"/inbox/{conversation.pk}/done/", {"done": "yes"}).status_code == 403


def test_a_label_is_corrected_and_the_first_one_stays_beside_it(db: None) -> None:
    alice = make_member(make_workspace())
    conversation = answered(alice, "unsure")
    client = signed_in(alice)
    reply = rows(Reply, alice.workspace_id)[0]
    page = text_of(client.post(f"/inbox/replies/{reply.pk}/label/", {"label": "question"}, follow=True))
    assert "First labelled: Unsure" in page
    assert fresh(conversation).label == "question"


def test_what_is_done_leaves_the_inbox_and_comes_back(db: None) -> None:
    alice = make_member(make_workspace())
    conversation = answered(alice)
    client = signed_in(alice)
    client.post(f"/inbox/{conversation.pk}/done/", {"done": "yes"})
    assert rows_in(client.get("/inbox/")) == 0
    assert rows_in(client.get("/inbox/", {"part": "done"})) == 1
    client.post(f"/inbox/{conversation.pk}/done/", {"done": "no"})
    assert rows_in(client.get("/inbox/")) == 1


def test_a_reply_cannot_carry_markup_into_the_page(db: None) -> None:
    alice = make_member(make_workspace())
    conversation = answered(alice, text="<img src=x onerror=alert(1)> yes")
    page = signed_in(alice).get(f"/inbox/{conversation.pk}/").content.decode()
    assert "<img" not in page


def test_what_happened_with_a_contact_is_told_without_opening_a_text(db: None) -> None:
    alice = make_member(make_workspace())
    conversation = answered(alice)
    path = f"/inbox/of-contact/{conversation.contact_id}/"
    part = signed_in(alice).get(path, headers={"HX-Request": "true"})
    assert "<html" not in part.content.decode()
    told = text_of(part)
    assert told.index("Answered Interested") < told.index("Step 1 sent")
    assert "Enrolled in Fewer empty appointments" in told
    assert rows(AuditEntry, alice.workspace_id, tag=tags.CONTENT_READ) == []


def test_another_workspaces_conversation_does_not_exist(db: None) -> None:
    conversation = answered(make_member(make_workspace()))
    charlie = signed_in(make_member(make_workspace("Elsewhere"), "Charlie"))
    assert charlie.get(f"/inbox/{conversation.pk}/").status_code == 404


def test_what_followed_and_by_which_label_stands_beside_the_reply(db: None) -> None:
    alice = make_member(make_workspace())
    conversation = answered(alice, "not_interested")
    page = text_of(signed_in(alice).get(f"/inbox/{conversation.pk}/"))
    assert "Not interested → the sequence ended; in no sequence until" in page


def test_an_administrator_changes_what_follows_from_a_label_and_a_rep_only_sees_it(db: None) -> None:
    workspace = make_workspace()
    alice, ben = signed_in(make_member(workspace)), signed_in(make_member(workspace, "Ben", role="rep"))
    form = {"other-is-here": "yes", "other-course": "pause", "other-task": "on", "other-cool-off": "7"}
    assert ben.post("/inbox/rules/", form).status_code == 403
    assert 'value="7"' not in ben.get("/inbox/rules/").content.decode()
    assert "Saved" in text_of(alice.post("/inbox/rules/", form, follow=True))
    assert 'value="7"' in ben.get("/inbox/rules/").content.decode()
    weaker = {"hard_no-is-here": "yes", "hard_no-course": "go_on"}
    alice.post("/inbox/rules/", weaker)
    assert [each.label for each in rows(LabelRule, workspace.id)] == ["other"]


def test_corrections_are_counted_and_told_with_who_made_them(db: None) -> None:
    alice = make_member(make_workspace())
    answered(alice, "unsure")
    client = signed_in(alice)
    reply = rows(Reply, alice.workspace_id)[0]
    client.post(f"/inbox/replies/{reply.pk}/label/", {"label": "question"})
    told = text_of(client.get("/inbox/corrections/"))
    assert "Unsure 0 1 Question 1" in told
    assert "Alice Unsure Question" in told
    assert "Alice corrected it to Question" in text_of(client.get(f"/inbox/{reply.conversation_id}/"))


def test_who_wants_something_stands_on_top_however_old_it_is(db: None) -> None:
    alice = make_member(make_workspace())
    conversation = answered(alice, "question")
    other = make_member(alice.workspace, "Ben", role="rep")
    answered(other, "not_interested")
    with inside(alice.workspace_id):
        Conversation.objects.filter(pk=conversation.pk).update(last_reply_at=clock.now() - timedelta(days=30))
    page = text_of(signed_in(alice).get("/inbox/"))
    assert page.index("Question Fewer") < page.index("Not interested Fewer")


def test_turning_pages_by_urgency_shows_each_conversation_once(db: None) -> None:
    alice = make_member(make_workspace())
    for label in ("not_interested", "interested", "unsure", "interested"):
        answered_again(alice, label)
    seen, after = [], ""
    with inside(alice.workspace_id):
        while True:
            found = page_of(
                Conversation.objects.all(), by="last_reply_at", after=after, rank="urgency", size=1
            )
            seen += [each.label for each in found]
            after = found.following
            if not after:
                break
    assert seen == ["interested", "interested", "unsure", "not_interested"]


def answered_again(member: Member, label: str) -> Conversation:
    """The same from a mailbox of its own."""
    mailbox = make_mailbox(member, f"{uuid4().hex}@northwind.example")
    enrolment = make_enrolment(make_sequence(member), make_contact(member.workspace), mailbox)
    return make_reply(make_message(enrolment), label).conversation


def test_what_is_snoozed_leaves_the_inbox_and_is_brought_back(db: None) -> None:
    alice = make_member(make_workspace())
    conversation = answered(alice)
    client = signed_in(alice)
    client.post(f"/inbox/{conversation.pk}/snooze/", {"until": "week"})
    assert rows_in(client.get("/inbox/")) == 0
    assert rows_in(client.get("/inbox/", {"part": "snoozed"})) == 1
    client.post(f"/inbox/{conversation.pk}/snooze/", {"until": "now"})
    assert rows_in(client.get("/inbox/")) == 1


def test_whoever_is_given_a_conversation_can_open_it_and_do_what_is_to_do(committed_db: None) -> None:
    workspace = make_workspace()
    alice, ben = make_member(workspace), make_member(workspace, "Ben", role="rep")
    conversation = answered(alice)
    client = signed_in(ben)
    assert client.get(f"/inbox/{conversation.pk}/").status_code == 403
    signed_in(alice).post(f"/inbox/{conversation.pk}/assign/", {"member": str(ben.pk)})
    assert rows_in(client.get("/inbox/")) == 1
    assert client.get(f"/inbox/{conversation.pk}/").status_code == 200
    assert rows_in(client.get("/inbox/", {"member": str(ben.pk)})) == 1
    assert rows_in(client.get("/inbox/", {"member": str(alice.pk)})) == 0
    client.post(f"/inbox/{conversation.pk}/done/", {"done": "yes"})
    assert fresh(conversation).done


def test_the_inbox_asks_no_more_questions_of_the_database_for_more_rows(
    db: None,
) -> None:
    alice = make_member(make_workspace())
    client = signed_in(alice)
    counts = []
    for _round in range(2):
        answered_again(alice, "interested")
        with CaptureQueriesContext(connection) as asked:
            client.get("/inbox/")
        counts.append(len(asked))
    assert counts[0] == counts[1]
