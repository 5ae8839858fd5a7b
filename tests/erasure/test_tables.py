"""Nothing that hangs on a mailbox, a contact or a workspace is forgotten, also not a table that comes tomorrow."""

from django.apps import apps

from gatepost.accounts.models import Workspace
from gatepost.contacts.models import Contact
from gatepost.erasure.models import Erasure
from gatepost.erasure.tables import tables_below
from gatepost.isolation import APPEND_ONLY, workspace_tables
from gatepost.mailboxes.models import Mailbox
from gatepost.rotation.models import Cover


def names(root: type) -> list[str]:
    return [table.model._meta.db_table for table in tables_below(root)]


def test_closing_a_workspace_reaches_every_table_but_receipts_and_records() -> None:
    inside_of_it = set(workspace_tables()) - {Erasure._meta.db_table, *APPEND_ONLY}
    assert set(names(Workspace)) == inside_of_it | {Cover._meta.db_table}


def test_a_mailbox_takes_everything_that_is_sealed_with_its_key() -> None:
    sealed = {
        model._meta.db_table
        for model in apps.get_app_config("gatepost").get_models()
        if getattr(model, "sealed_with", "") == "mailbox" and model is not Mailbox
    }
    assert sealed and sealed <= set(names(Mailbox))


def test_a_person_takes_mails_replies_promises_meetings_and_briefs() -> None:
    assert {
        f"gatepost_{each}" for each in ("message", "reply", "promise", "meeting", "brief", "enrolment")
    } <= set(names(Contact))


def test_what_hangs_on_a_row_goes_before_it() -> None:
    for root in (Mailbox, Contact, Workspace):
        order = [table.model for table in tables_below(root)]
        for place, model in enumerate(order):
            for relation in model._meta.related_objects:
                if relation.related_model in order and relation.related_model is not model:
                    assert order.index(relation.related_model) < place
