import asyncio
import time
from base64 import b64encode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import aiohttp
import pytest
from aiohttp import web

from gatepost.graph import errors
from gatepost.graph import gateway as gateway_module
from gatepost.graph.shapes import SHAPES
from tests.graph.microsoft import Rep, ask, error_body, microsoft, reset

LINK = "https://graph.microsoft.com/v1.0/me/mailFolders/inbox/messages/delta?$deltatoken=abc"


def yes(request):
    return web.json_response({"id": "1"})


def follow(link, name="envelopes"):
    async def once():
        async with microsoft(yes) as asking:
            try:
                return await asking.gateway.follow(name, link), asking
            except errors.GraphError as error:
                return error, asking

    return asyncio.run(once())


def test_a_request_outside_the_closed_list_never_leaves():
    result, asking = ask(yes, "attachments", id="1")
    assert isinstance(result, errors.ShapeUnknown)
    assert asking.requests == []


def test_a_request_whose_deadline_passed_while_the_token_was_renewed_never_leaves():
    class Slow(Rep):
        async def token(self, *, renew=False, claims=""):
            await asyncio.sleep(0.02)
            return await super().token(renew=renew, claims=claims)

    result, asking = ask(yes, "draft.send", rep=Slow(), id="1", leaves_by=time.monotonic() + 0.01)
    assert isinstance(result, errors.TooLate)
    assert asking.requests == [] and asking.rep.ledger == []


def test_a_request_that_leaves_in_time_is_not_held_up_by_its_deadline():
    result, asking = ask(yes, "draft.send", id="1", leaves_by=time.monotonic() + 30)
    assert result == {"id": "1"} and len(asking.requests) == 1


def test_a_body_with_a_member_outside_the_list_never_leaves():
    result, asking = ask(yes, "draft.create", body={"subject": "Hello", "internetMessageHeaders": []})
    assert isinstance(result, errors.ShapeUnknown)
    assert asking.requests == []


def test_a_gateway_for_one_purpose_sends_nothing_else():
    async def once(name):
        async with microsoft(yes) as asking:
            narrow = gateway_module.Gateway(
                asking.gateway._http,
                asking.rep,
                sandbox_url=asking.gateway._base,
                only=frozenset({"draft.delete"}),
            )
            try:
                await narrow.ask(name, id="1")
            except errors.ShapeUnknown:
                return len(asking.requests), False
            return len(asking.requests), True

    assert asyncio.run(once("draft.delete")) == (1, True)
    assert asyncio.run(once("draft.look")) == asyncio.run(once("draft.send")) == (0, False)


def test_a_request_whose_permission_was_not_granted_never_leaves():
    result, asking = ask(yes, "draft.send", id="1", rep=Rep(frozenset({"Mail.Read"})))
    assert isinstance(result, errors.ApprovalNeeded)
    assert result.code == "Mail.Send"
    assert asking.requests == []


def test_a_read_is_covered_by_the_permission_to_read_and_write():
    result, _ = ask(yes, "draft.look", id="1", rep=Rep(frozenset({"Mail.ReadWrite"})))
    assert result == {"id": "1"}


@pytest.mark.parametrize(
    "shape", [shape for shape in SHAPES.values() if shape.follows_links], ids=lambda s: s.name
)
@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/v1.0/me/mailFolders/inbox/messages/delta?$deltatoken=abc",
        "http://graph.microsoft.com/v1.0/me/mailFolders/inbox/messages/delta?$deltatoken=abc",
        "https://graph.microsoft.com.evil.example/v1.0/me/mailFolders/inbox/messages/delta",
        "https://graph.microsoft.com@evil.example/v1.0/me/mailFolders/inbox/messages/delta",
        "https://graph.microsoft.com:8443/v1.0/me/mailFolders/inbox/messages/delta",
        "https://graph.microsoft.com/v1.0/me/messages?$select=body",
        "https://graph.microsoft.com/beta/me/mailFolders/inbox/messages/delta",
        "https://graph.microsoft.com/v1.0/me/mailFolders/inbox/../../messages/delta/x",
        "/v1.0/me/mailFolders/inbox/messages/delta?$deltatoken=abc",
        "",
    ],
)
def test_a_link_that_leads_elsewhere_is_not_followed_and_gets_no_token(shape, link):
    result, asking = follow(link, shape.name)
    assert isinstance(result, errors.ShapeUnknown)
    assert asking.requests == []


def test_a_link_of_another_kind_of_request_is_not_followed():
    result, asking = follow(LINK, "reply")
    assert isinstance(result, errors.ShapeUnknown)
    assert asking.requests == []


@pytest.mark.parametrize(
    "link", [LINK, LINK.replace("delta?", "delta()?"), LINK.replace("mailFolders", "mailfolders")]
)
def test_microsofts_own_link_is_followed_as_it_is(link):
    result, asking = follow(link)
    assert result == {"id": "1"}
    assert "https://graph.microsoft.com" + asking.requests[0].raw_path == link


def test_a_refused_token_is_renewed_once_and_the_request_made_again():
    def first_no(request):
        if request.headers["Authorization"] == "Bearer token-0":
            return web.json_response(error_body("InvalidAuthenticationToken"), status=401)
        return web.Response(status=202)

    result, asking = ask(first_no, "draft.delete", id="1")
    assert result == {}
    assert [r.headers["Authorization"] for r in asking.requests] == ["Bearer token-0", "Bearer token-1"]


@pytest.mark.parametrize("shape", [shape for shape in SHAPES.values() if shape.once], ids=lambda s: s.name)
def test_what_writes_a_mail_is_not_repeated_even_after_a_definite_no(shape):
    body = b"mime" if shape.mime else {} if shape.body else None
    refused = lambda r: web.json_response(error_body("InvalidAuthenticationToken"), status=401)  # noqa: E731
    result, asking = ask(refused, shape.name, id="1", body=body)
    assert isinstance(result, errors.TokenStale)
    assert len(asking.requests) == 1 and asking.rep.renewals == 1


def test_a_mail_that_is_refused_with_a_fresh_token_too_asks_the_rep():
    async def twice():
        async with microsoft(lambda r: web.json_response(error_body("Expired"), status=401)) as asking:
            with pytest.raises(errors.TokenStale):
                await asking.gateway.ask("draft.send", id="1")
            with pytest.raises(errors.ReconnectNeeded):
                await asking.gateway.ask("draft.send", id="1")

    asyncio.run(twice())


@pytest.mark.parametrize("name", ["draft.create", "draft.create-mime"])
def test_a_mail_in_mime_goes_where_mime_is_known_and_nowhere_else(name):
    body = {"subject": "x"} if SHAPES[name].mime else b"Subject: x"
    result, asking = ask(yes, name, body=body)
    assert isinstance(result, errors.ShapeUnknown)
    assert asking.requests == []


def test_mime_travels_in_base64():
    _, asking = ask(yes, "draft.create-mime", body=b"Subject: x")
    request = asking.requests[0]
    assert (request.headers["Content-Type"], asking.bodies[0]) == ("text/plain", b"U3ViamVjdDogeA==")


def test_a_token_that_is_refused_twice_asks_the_rep():
    result, asking = ask(lambda r: web.json_response(error_body("Expired"), status=401), "draft.look", id="1")
    assert isinstance(result, errors.ReconnectNeeded)
    assert len(asking.requests) == 2


def truncated(request):
    return web.Response(body=b'{"id": "AAMk', content_type="application/json", status=201)


def html(status):
    return lambda request: web.Response(
        text="<html>Bad gateway</html>", content_type="text/html", status=status
    )


def coded(status, code="ErrorX", **headers):
    return lambda request: web.json_response(error_body(code), status=status, headers=headers)


UNCLEAR = {
    "reset": reset,
    "half a JSON": truncated,
    "a JSON that is no object": lambda r: web.json_response(["id"], status=201),
    "HTML with 200": html(200),
    "HTML with 400": html(400),
    "HTML with 403": html(403),
    "429": coded(429, "TooManyRequests", **{"Retry-After": "5"}),
    "500": coded(500),
    "502 in HTML": html(502),
    "503": coded(503, **{"Retry-After": "120"}),
    "504": coded(504, "gatewayTimeout"),
    "409": coded(409, "ErrorIrresolvableConflict"),
    "412": coded(412),
    "a redirect": lambda r: web.Response(status=302, headers={"Location": "https://evil.example/"}),
}


@pytest.mark.parametrize("name", UNCLEAR)
def test_a_write_without_a_definite_answer_is_unclear_and_never_repeated(name):
    result, asking = ask(UNCLEAR[name], "draft.create", body={"subject": "Hello"})
    assert isinstance(result, errors.Unclear), result
    assert len(asking.requests) == 1


def test_a_removal_whose_connection_breaks_is_not_repeated_either():
    result, asking = ask(reset, "draft.delete", id="1")
    assert isinstance(result, errors.Unclear)
    assert len(asking.requests) == 1


def test_a_write_without_any_answer_in_time_is_unclear_and_never_repeated(monkeypatch):
    monkeypatch.setattr(gateway_module, "TIMEOUT", aiohttp.ClientTimeout(total=0.05))

    async def never(request):
        await asyncio.Event().wait()

    result, asking = ask(never, "draft.send", id="1")
    assert isinstance(result, errors.Unclear)
    assert len(asking.requests) == 1
    assert [row.status for row in asking.rep.ledger] == [0]


def test_a_write_that_never_reached_microsoft_may_be_tried_later():
    async def once():
        async with microsoft(yes) as asking:
            asking.gateway._base = "http://127.0.0.1:1"
            with pytest.raises(errors.TryLater):
                await asking.gateway.ask("draft.send", id="1")
            return asking

    assert [row.status for row in asyncio.run(once()).rep.ledger] == [0]


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "30"}])
def test_202_means_accepted_also_when_it_asks_for_a_pause(headers):
    result, asking = ask(lambda r: web.Response(status=202, headers=headers), "draft.send", id="1")
    assert result == {}
    assert len(asking.requests) == 1


@pytest.mark.parametrize("status", [400, 403, 413])
def test_a_refusal_that_names_its_reason_is_a_definite_no(status):
    result, asking = ask(coded(status, "ErrorSendAsDenied"), "draft.send", id="1")
    assert isinstance(result, errors.Refused)
    assert (result.code, len(asking.requests)) == ("ErrorSendAsDenied", 1)


LATER_THIS_HOUR = format_datetime(datetime.now(UTC) + timedelta(minutes=50), usegmt=True)


@pytest.mark.parametrize(
    ("header", "at_least", "at_most"),
    [
        ("17", timedelta(seconds=17), timedelta(seconds=17)),
        ("2.128", timedelta(seconds=2.128), timedelta(seconds=2.128)),
        (LATER_THIS_HOUR, timedelta(minutes=5), timedelta(minutes=50)),
    ],
    ids=["seconds", "parts of seconds", "a date"],  # each process would write its own date into the name
)
def test_a_throttled_read_says_how_long_to_wait(header, at_least, at_most):
    result, asking = ask(coded(429, "ApplicationThrottled", **{"Retry-After": header}), "draft.look", id="1")
    assert isinstance(result, errors.TryLater)
    assert at_least <= result.retry_after <= at_most
    assert len(asking.requests) == 1


@pytest.mark.parametrize(
    "answer", [reset, truncated, html(200), html(502), coded(500), coded(503), coded(423)]
)
def test_a_read_without_a_usable_answer_may_be_asked_again(answer):
    result, asking = ask(answer, "draft.look", id="1")
    assert isinstance(result, errors.TryLater), result
    assert len(asking.requests) == 1


@pytest.mark.parametrize(
    ("status", "code", "shape", "expected"),
    [
        (404, "ErrorItemNotFound", "draft.look", errors.NotThere),
        (404, "ErrorItemNotFound", "draft.send", errors.NotThere),
        (404, "MailboxNotEnabledForRESTAPI", "inbox.check", errors.MailboxUnusable),
        (404, "MailboxNotSupportedForRESTAPI", "inbox.check", errors.MailboxUnusable),
        (410, "syncStateNotFound", "envelopes", errors.SyncStateLost),
        (400, "SyncStateNotFound", "envelopes", errors.SyncStateLost),
        (400, "resyncRequired", "envelopes", errors.SyncStateLost),
        (403, "ErrorAccessDenied", "draft.look", errors.ApprovalNeeded),
        (400, "ErrorInvalidIdMalformed", "draft.look", errors.Refused),
        (403, "ErrorAccessDenied", "draft.send", errors.Refused),
    ],
)
def test_each_refusal_says_who_must_act(status, code, shape, expected):
    values = {"folder": "inbox", "since": "2027-01-11T09:00:00Z"} if shape == "envelopes" else {"id": "1"}
    if shape == "inbox.check":
        values = {}
    result, _ = ask(coded(status, code), shape, **values)
    assert type(result) is expected
    assert result.code == code


def test_an_answer_larger_than_any_page_is_not_read_to_its_end(monkeypatch):
    monkeypatch.setattr(gateway_module, "MAX_ANSWER_BYTES", 1000)
    result, asking = ask(lambda r: web.json_response({"id": "x" * 5000}), "draft.look", id="1")
    assert isinstance(result, errors.Unreadable)
    assert asking.rep.ledger[0].bytes < 5000


def test_a_quotation_mark_in_a_value_cannot_end_its_literal():
    _, asking = ask(yes, "draft.find-by-message-id", message_id="<a'b> or subject ne 'x@y>")
    assert asking.requests[0].query["$filter"] == "internetMessageId eq '<a''b> or subject ne ''x@y>'"


def test_a_value_cannot_leave_its_place_in_the_path_or_add_a_query():
    _, asking = ask(yes, "draft.look", id="../messages?$select=body#")
    request = asking.requests[0]
    assert request.raw_path.partition("?")[0] == "/v1.0/me/messages/..%2Fmessages%3F$select=body%23"
    assert request.query["$select"] == SHAPES["draft.look"].query[0][1]


@pytest.mark.parametrize(("answer", "status"), [(yes, 200), (coded(503), 503), (coded(404), 404), (reset, 0)])
def test_every_request_leaves_one_row_in_the_ledger_also_when_it_fails(answer, status):
    _, asking = ask(answer, "draft.look", id="item-1")
    assert [(row.shape, row.item, row.status) for row in asking.rep.ledger] == [
        ("draft.look", "item-1", status)
    ]


def test_the_ledgers_request_id_is_the_one_that_microsoft_saw():
    _, asking = ask(yes, "draft.look", id="1")
    assert str(asking.rep.ledger[0].client_request_id) == asking.requests[0].headers["client-request-id"]


def test_no_error_tells_the_token():
    result, _ = ask(coded(400, "ErrorX"), "draft.look", id="1")
    assert "token-" not in str(result) + result.message


CLAIMS = '{"access_token": {"nbf": {"essential": true, "value": "1"}}}'


def challenge(encoded, error="insufficient_claims"):
    """Graph refuses the first token with a claims challenge."""
    asked = []

    def answer(request):
        asked.append(request)
        if len(asked) > 1:
            return yes(request)
        header = f'Bearer realm="", client_id="00000003-0000-0000-c000-000000000000", error="{error}", claims="{encoded}"'
        body = error_body("InvalidAuthenticationToken")
        return web.json_response(body, status=401, headers={"WWW-Authenticate": header})

    return answer


@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
def test_a_claims_challenge_is_answered_with_the_claims_that_it_names(encode):
    result, asking = ask(challenge(encode(CLAIMS.encode()).decode().rstrip("=")), "draft.look", id="1")
    assert result == {"id": "1"}
    assert asking.rep.claims == ["", CLAIMS]


@pytest.mark.parametrize("encoded", ["!!!", "bm90IGpzb24=", "WzFd", ""])
def test_a_challenge_that_cannot_be_read_is_an_expired_token(encoded):
    result, asking = ask(challenge(encoded), "draft.look", id="1")
    assert result == {"id": "1"} and asking.rep.claims == ["", ""]


def test_a_token_that_is_merely_refused_is_renewed_without_claims():
    _, asking = ask(challenge(b64encode(CLAIMS.encode()).decode(), "invalid_token"), "draft.look", id="1")
    assert asking.rep.claims == ["", ""]


def test_a_challenge_that_is_repeated_asks_the_rep_and_does_not_loop():
    header = f'Bearer error="insufficient_claims", claims="{b64encode(CLAIMS.encode()).decode()}"'
    body = error_body("InvalidAuthenticationToken")
    result, asking = ask(
        lambda r: web.json_response(body, status=401, headers={"WWW-Authenticate": header}),
        "draft.look",
        id="1",
    )
    assert isinstance(result, errors.ReconnectNeeded) and len(asking.requests) == 2


def test_a_redirect_is_not_followed():
    def elsewhere(request):
        if request.path.startswith("/v1.0"):
            return web.Response(status=307, headers={"Location": "/elsewhere"})
        return web.json_response({"id": "1"})

    result, asking = ask(elsewhere, "draft.look", id="1")
    assert isinstance(result, errors.GraphError)
    assert [request.path for request in asking.requests] == ["/v1.0/me/messages/1"]


def test_a_row_of_the_ledger_counts_the_bytes_that_came():
    said = b'{"id": "a mail that was written"}'
    _, asking = ask(
        lambda r: web.Response(body=said), "draft.stamp", id="1", body={"singleValueExtendedProperties": []}
    )
    assert [row.bytes for row in asking.rep.ledger] == [len(said)]
