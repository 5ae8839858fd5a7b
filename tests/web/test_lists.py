from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext

from gatepost import clock
from gatepost.contacts.models import Contact
from gatepost.isolation import inside
from gatepost.web.pages import page_of
from tests.makers import make_contact, make_workspace


def test_turning_pages_shows_every_row_once(db: None) -> None:
    workspace = make_workspace()
    made = [make_contact(workspace).pk for _ in range(7)]
    moment = clock.now()
    with inside(workspace.id):
        # Several at the very same moment: the id decides then.
        Contact.objects.filter(pk__in=made[:4]).update(created_at=moment)
        seen, after = [], ""
        while True:
            page = page_of(Contact.objects.all(), by="created_at", after=after, size=2)
            seen += [row.pk for row in page]
            after = page.following
            if not after:
                break
    assert sorted(seen) == sorted(made)


def test_a_list_of_what_is_coming_begins_with_the_soonest(db: None) -> None:
    workspace = make_workspace()
    made = [make_contact(workspace).pk for _ in range(3)]
    with inside(workspace.id):
        for days, pk in enumerate(made):
            Contact.objects.filter(pk=pk).update(created_at=clock.now() + timedelta(days=days))
        first = page_of(Contact.objects.all(), by="created_at", newest_first=False, size=2)
        second = page_of(
            Contact.objects.all(), by="created_at", newest_first=False, size=2, after=first.following
        )
    assert [row.pk for row in [*first, *second]] == made


def test_a_place_that_nobody_handed_out_starts_at_the_beginning(db: None) -> None:
    workspace = make_workspace()
    make_contact(workspace)
    with inside(workspace.id):
        assert page_of(Contact.objects.all(), by="created_at", after="2026_not-an-id").is_first


def test_a_page_is_chosen_before_its_rows_are_joined_with_anything(db: None) -> None:
    """Joined first, a list of a hundred thousand was read whole while PostgreSQL had no statistics of small tables."""
    workspace = make_workspace()
    made = [make_contact(workspace).pk for _ in range(3)]
    with inside(workspace.id), CaptureQueriesContext(connection) as asked:
        page = page_of(
            Contact.objects.select_related("company").prefetch_related("enrolments"), by="created_at", size=2
        )
    choosing, reading, *_ = [each["sql"] for each in asked if each["sql"].startswith("SELECT")]
    assert "LIMIT 3" in choosing and "JOIN" not in choosing and "JOIN" in reading
    assert [row.pk for row in page] == made[:0:-1] and page.following
