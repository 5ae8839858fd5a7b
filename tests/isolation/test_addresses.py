"""Every address with every method, by every role of one workspace, about the things of another: nothing is told, nothing
is changed. The addresses are those of today: a new one is tried by itself, or fails here until it can be."""

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlencode

import psycopg
import pytest
from django.apps import apps
from django.db import connection, models
from django.test import Client

from gatepost.accounts.actions import create_token
from gatepost.accounts.membership import by
from gatepost.accounts.models import InWorkspace
from gatepost.accounts.rules import ROLES
from gatepost.config.api import api
from gatepost.isolation import workspace_tables
from tests.accounts.test_roles import NEEDS_A_REGISTRATION, ROUTES, SOME_ID
from tests.pages import confirmed, signed_in

from .office import SNIPPET, Office, an_office, said

# What forms and queries name by an id, beside those in an address.
NAMED = ("sequence", "step", "variant", "member", "company", "mailbox", "contact", "owner", "imported", "first", "second",
         "message", "quarantine", "token", "heir", "other", "person", "enrolment", "task", "reply", "conversation")  # fmt: skip
SPOKEN = {"form": "csv", "name": SNIPPET, "snippet": SNIPPET, "label": "interested"}
# Lists are tried by who sees all of the own workspace and by who sees the least of it; one thing by all five roles.
WHO_LISTS = ("owner", "rep")
# Answers from which nothing can be learnt: not there, not allowed, wrong, to somewhere else, only the other method.
SILENT = {302, 400, 403, 404, 405, 409, 422}


@pytest.fixture
def offices(committed_db: None) -> tuple[Office, Office]:
    return an_office("northwind5c1e"), an_office("fabrikam7f3a")


def filled(route: str, office: Office | None) -> str:
    """The address of a thing of this office, or of one that nobody has."""

    def value(found: "re.Match[str]") -> str:
        name = found[1].rpartition(":")[2]
        return SPOKEN.get(name) or str(office.row(name).pk if office else SOME_ID)

    return "/" + re.sub(r"[<{]([\w:]+)[>}]", value, route).lstrip("/")


def names_a_thing(route: str) -> bool:
    return bool(re.search(r"[<{][\w:]*_id[>}]", route))


def things(office: Office) -> dict[str, str]:
    named = {name: str(office.row(name).pk) for name in NAMED}
    return {
        **named,
        "change": f"skip {office.row('message').pk}",
        "do": "stop",
        "decision": "send",
        "who": "workspace",
    }


def endpoints() -> list[tuple[str, str, dict[str, Any]]]:
    """Path, method and the body's schema."""
    contract = api.get_openapi_schema()
    kinds = contract["components"]["schemas"]

    def body(operation: dict[str, Any]) -> dict[str, Any]:
        schema = (
            operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        )
        return kinds.get(str(schema.get("$ref", "")).rpartition("/")[2], {}).get("properties", {})

    return [(p, m, body(o)) for p, methods in contract["paths"].items() for m, o in methods.items()]


def body_naming(properties: dict[str, Any], office: Office) -> dict[str, Any]:
    """What the endpoint takes, with the ids of this office's things wherever it takes ids."""
    filled_in: dict[str, Any] = {}
    for name, schema in properties.items():
        kinds = [schema, *schema.get("anyOf", ())]
        if any(each.get("format") == "uuid" for each in kinds):
            filled_in[name] = str(office.row(name).pk)
        elif any(each.get("items", {}).get("format") == "uuid" for each in kinds):
            filled_in[name] = [str(office.row(name).pk)]
        elif any(each.get("type") == "string" for each in kinds) and "default" not in schema:
            filled_in[name] = "2027-02-01" if "date" in str(schema) else "interested"
    return filled_in


def visitor(member: Any) -> Client:
    client = confirmed(signed_in(member))
    client.raise_request_exception = False  # what breaks is an answer as well
    return client


def program(member: Any) -> Client:
    return Client(
        raise_request_exception=False,
        headers={"Authorization": f"Bearer {create_token(member, 'test', actor=by(member))}"},
    )


def everything_of(database: Any, office: Office) -> dict[str, str]:
    """A print of each table's rows of this workspace, as the owner of the database sees them."""
    with psycopg.connect(database.owner) as owner:
        found = {}
        for table in workspace_tables():
            statement = f"SELECT md5(coalesce(string_agg(t::text, '' ORDER BY t::text), '')) FROM {table} t WHERE workspace_id = %s"
            (found[table],) = owner.execute(statement, [office.workspace.id]).fetchone()  # type: ignore[arg-type, misc]
    return found


def across(database: Any) -> list[str]:
    """Every foreign key by which a row of one workspace names a row of another."""
    found = []
    with psycopg.connect(database.owner) as owner:
        for model in apps.get_app_config("gatepost").get_models():
            for each in model._meta.local_fields:
                if not isinstance(each, models.ForeignKey) or not issubclass(model, InWorkspace):
                    continue
                if not issubclass(each.related_model, InWorkspace):
                    continue
                statement = (
                    f"SELECT count(*) FROM {model._meta.db_table} c JOIN {each.related_model._meta.db_table} p "
                    f"ON p.id = c.{each.column} WHERE p.workspace_id <> c.workspace_id"
                )
                if owner.execute(statement).fetchone() != (0,):  # type: ignore[arg-type]
                    found.append(f"{model.__name__}.{each.name}")
    return found


def test_an_office_has_a_row_in_every_table_and_without_a_workspace_none_is_seen(offices: Any) -> None:
    ours, _ = offices
    assert {each._meta.db_table for each in ours.rows.values()} >= set(workspace_tables()) - {
        f"gatepost_{each}" for each in ("auditentry", "ledgerrow", "link", "anchor")
    }
    with connection.cursor() as cursor:
        for table in workspace_tables():
            cursor.execute(f"SELECT count(*) FROM {table}")
            assert cursor.fetchone() == (0,), table


def test_no_address_of_the_pages_or_the_api_shows_or_changes_a_thing_of_another_workspace(
    offices: Any, database: Any
) -> None:
    """Where it is named in the address, the answer is the one about a thing that nobody has."""
    ours, theirs = offices
    before, foreign = everything_of(database, theirs), things(theirs)
    wrong, asked = [], 0
    for role in ROLES:
        client, caller = visitor(ours.members[role]), program(ours.members[role])
        asks: list[tuple[str, str, Callable[[str], Any]]] = []
        for route in ROUTES:
            asks += [
                (method, route, partial(getattr(client, method), data=foreign)) for method in ("get", "post")
            ]
        for path, method, properties in endpoints():
            body = json.dumps(body_naming(properties, theirs))
            ask = partial(caller.generic, method.upper(), data=body, content_type="application/json")
            asks.append((method, path, partial(_with_query, ask, foreign if method == "get" else {})))
        for method, route, ask in asks:
            if "_id" not in route and role not in WHO_LISTS:
                continue
            answer = ask(filled(route, theirs))
            asked += 1
            broken = answer.status_code >= 500 and route != NEEDS_A_REGISTRATION
            told = (
                answer.status_code not in SILENT
                and "_id" in route
                and not _same(answer, ask(filled(route, None)))
            )
            if theirs.mark in said(answer) or broken or told:
                wrong.append((role, method, route, answer.status_code))
    assert wrong == []
    named = sum(2 * ("_id" in route) for route in ROUTES) + sum("_id" in path for path, _, _ in endpoints())
    every = 2 * len(ROUTES) + len(endpoints())
    assert asked == len(ROLES) * named + len(WHO_LISTS) * (every - named) > 900
    assert everything_of(database, theirs) == before


def _with_query(ask: Callable[..., Any], query: dict[str, str], path: str) -> Any:
    return ask(path + (f"?{urlencode(query)}" if query else ""))


def _same(one: Any, other: Any) -> bool:
    """Whether two answers say the same, but for ids and tokens."""
    plain = [
        re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|csrfmiddlewaretoken\S* value=\S+", "", said(each))
        for each in (one, other)
    ]
    return one.status_code == other.status_code and plain[0] == plain[1]


def test_no_thing_of_ours_can_be_tied_to_one_of_another_workspace(offices: Any, database: Any) -> None:
    """An owner's own things in the address, somebody else's in the form: nothing is tied, told or changed."""
    ours, theirs = offices
    before, foreign = everything_of(database, theirs), things(theirs)
    # What ends the session or the workspace comes last.
    routes = sorted(ROUTES, key=lambda route: ("close" in route, "remove" in route, "erase" in route, route))
    client, caller = visitor(ours.members["owner"]), program(ours.members["owner"])
    wrong = []
    for path, method, properties in endpoints():
        body = json.dumps(body_naming(properties, theirs))
        answer = caller.generic(method.upper(), filled(path, ours), body, content_type="application/json")
        wrong += [(method, path)] * (theirs.mark in said(answer) or answer.status_code >= 500)
    for route in routes:
        answer = client.post(filled(route, ours), foreign)
        broken = answer.status_code >= 500 and route != NEEDS_A_REGISTRATION
        wrong += [("post", route)] * (theirs.mark in said(answer) or broken)
    assert wrong == []
    assert across(database) == []
    assert everything_of(database, theirs) == before


def test_their_own_owner_sees_them_at_the_same_addresses(offices: Any) -> None:
    """Else all the tries above would prove nothing."""
    _, theirs = offices
    client, caller = visitor(theirs.members["owner"]), program(theirs.members["owner"])
    pages = {route: client.get(filled(route, theirs)) for route in ROUTES}
    shown = [route for route, answer in pages.items() if names_a_thing(route) and answer.status_code == 200]
    marked = [route for route in shown if theirs.mark in said(pages[route])]
    assert len(shown) >= 25 and len(marked) >= 25, (len(shown), len(marked))
    answers = {path: caller.get(filled(path, theirs)) for path, method, _ in endpoints() if method == "get"}
    assert {path for path, answer in answers.items() if answer.status_code != 200} == set()
    assert len([path for path in answers if theirs.mark in said(answers[path])]) >= 10
