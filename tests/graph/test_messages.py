import asyncio
from datetime import UTC, datetime

import pytest
from aiohttp import web

from gatepost.graph import errors, messages
from gatepost.graph.shapes import IN_REPLY_TO, REFERENCES
from tests.graph.microsoft import error_body, microsoft

SINCE = datetime(2027, 1, 11, 9, tzinfo=UTC)
DELTA = "https://graph.microsoft.com/v1.0/me/mailFolders/inbox/messages/delta?$deltatoken=1"
MAIL = {
    "id": "AAMk1",
    "conversationId": "c1",
    "internetMessageId": "<in@contoso.example>",
    "receivedDateTime": "2027-01-11T09:30:00Z",
}


def extended(**values):
    ids = {"in_reply_to": IN_REPLY_TO, "references": REFERENCES}
    return {
        "singleValueExtendedProperties": [{"id": ids[name], "value": value} for name, value in values.items()]
    }


def use(answer, call):
    async def once():
        async with microsoft(answer) as asking:
            return await call(asking.gateway), asking

    return asyncio.run(once())


def first_page(answer):
    return use(answer, lambda gateway: messages.first_page(gateway, "inbox", since=SINCE))


def page_of(*items, **links):
    return lambda request: web.json_response({"value": list(items), **(links or {"@odata.deltaLink": DELTA})})


def test_stage_one_asks_for_ids_references_and_time_and_nothing_else():
    _, asking = first_page(page_of())
    query = asking.requests[0].query
    assert query["$select"] == "id,conversationId,internetMessageId,receivedDateTime"
    assert query["$filter"] == "receivedDateTime ge 2027-01-11T09:00:00Z"
    assert set(query) == {"$select", "$expand", "$filter"}


def test_an_envelope_holds_both_kinds_of_references():
    page, _ = first_page(page_of({**MAIL, **extended(in_reply_to="<a@x>", references="<b@x> <a@x>")}))
    (envelope,) = page.envelopes
    assert envelope.references == "<a@x> <b@x> <a@x>"
    assert envelope.received == datetime(2027, 1, 11, 9, 30, tzinfo=UTC)
    assert page.done and page.position == DELTA


def test_the_names_of_properties_come_in_any_case():
    item = {**MAIL, "singleValueExtendedProperties": [{"id": IN_REPLY_TO.lower(), "value": "<a@x>"}]}
    page, _ = first_page(page_of(item))
    assert page.envelopes[0].references == "<a@x>"


def test_an_envelope_without_its_references_says_that_they_are_not_known():
    page, _ = first_page(page_of(MAIL))
    assert page.envelopes[0].references is None


def test_an_envelope_asked_for_alone_certainly_has_no_references_where_none_came():
    envelope, _ = use(
        lambda r: web.json_response(MAIL), lambda gateway: messages.one_envelope(gateway, "AAMk1")
    )
    assert envelope.references == ""


def test_a_removed_mail_has_nothing_but_its_id():
    page, _ = first_page(page_of({"id": "AAMk2", "@removed": {"reason": "deleted"}}))
    (envelope,) = page.envelopes
    assert envelope.removed and envelope.received is None and envelope.internet_message_id == ""


def test_where_the_list_refuses_references_it_is_asked_for_without_them():
    def refuses_expand(request):
        if "$expand" in request.query:
            return web.json_response(error_body("ErrorInvalidUrlQuery"), status=400)
        return page_of(MAIL)(request)

    page, asking = first_page(refuses_expand)
    assert len(page.envelopes) == 1
    assert [("$expand" in r.query) for r in asking.requests] == [True, False]


def test_a_page_without_any_link_ends_nothing():
    with pytest.raises(errors.TryLater):
        first_page(lambda request: web.json_response({"value": [MAIL]}))


def test_a_walk_is_done_by_a_delta_link_only():
    page, _ = first_page(page_of(MAIL, **{"@odata.nextLink": DELTA}))
    assert not page.done


def test_stage_one_b_asks_for_addresses_only():
    body = {
        "from": {"emailAddress": {"name": "Petra", "address": "petra@contoso.example"}},
        "sender": {"emailAddress": {"address": "desk@contoso.example"}},
        "toRecipients": [{"emailAddress": {"address": "alice@northwind.example"}}],
        "isDraft": False,
    }
    sender, asking = use(
        lambda r: web.json_response(body), lambda gateway: messages.sender_of(gateway, "AAMk1")
    )
    assert (sender.address, sender.submitted_by) == ("petra@contoso.example", "desk@contoso.example")
    assert asking.requests[0].query["$select"] == "from,sender,toRecipients,isDraft"


def test_a_mail_without_a_sender_has_an_empty_one():
    sender, _ = use(
        lambda r: web.json_response({"isDraft": True}), lambda gateway: messages.sender_of(gateway, "1")
    )
    assert sender.address == "" and sender.is_draft


def test_nobody_but_the_matcher_can_make_the_right_to_read():
    import gatepost.intake.matching  # noqa: F401  the matcher has named itself

    with pytest.raises(errors.ShapeUnknown):
        messages.MatchedReply("AAMk1", "please", made_by=object())
    with pytest.raises(errors.ShapeUnknown):
        messages.only_matcher(object())


def folder(name, **more):
    return {"id": name, "parentFolderId": "root", "totalItemCount": 3, "unreadItemCount": 1, **more}


def test_folders_are_asked_for_by_id_and_count_and_never_by_name():
    onward = "https://graph.microsoft.com/v1.0/me/mailFolders/delta?$skiptoken=1"

    def answer(request):
        if "$skiptoken" in request.query:
            search = folder("s", **{"@odata.type": "#microsoft.graph.mailSearchFolder"})
            return web.json_response({"value": [search], "@odata.deltaLink": onward})
        return web.json_response(
            {"value": [folder("a"), folder("b", isHidden=True)], "@odata.nextLink": onward}
        )

    found, asking = use(answer, messages.all_folders)
    assert [(each.graph_id, each.hidden, each.is_search, each.total) for each in found] == [
        ("a", False, False, 3), ("b", True, False, 3), ("s", False, True, 3),
    ]  # fmt: skip
    asked = dict(asking.requests[0].query)
    assert asked == {"$select": "id,parentFolderId,isHidden,totalItemCount,unreadItemCount"}


def test_a_list_of_folders_that_ends_without_saying_so_is_not_believed():
    with pytest.raises(errors.TryLater):
        use(lambda request: web.json_response({"value": [folder("a")]}), messages.all_folders)


@pytest.mark.parametrize(
    ("body", "status", "number"),
    [
        ({"@odata.count": 7, "value": []}, 200, 7),
        ({"value": []}, 200, None),
        (error_body("BadRequest"), 400, None),
    ],
)
def test_how_many_mails_there_are_is_a_number_or_unknown(body, status, number):
    def answer(request):
        return web.json_response(body, status=status)

    assert use(answer, lambda gateway: messages.how_many(gateway, "f", since=SINCE))[0] == number
