"""A sandbox served on a free port, and small hands to use it: sign in, call Graph, wait for quiet."""

import asyncio
import base64
import hashlib
import json
import re
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from functools import cache
from html import unescape
from typing import Any

import pytest
import uvicorn

from m365_sandbox.app import create_app
from m365_sandbox.contract import Watch, watch_of_the_environment
from m365_sandbox.entra.keys import private_key
from m365_sandbox.store import Store

APP_ID, APP_SECRET = "6f1c2d3e-4b5a-4c6d-8e7f-90a1b2c3d4e5", "sandbox-secret-not-a-real-one"
REDIRECT = "http://localhost:9/callback"
EVERYTHING = (
    "openid profile offline_access User.Read Mail.ReadWrite Mail.Send Calendars.ReadWrite Contacts.Read "
    "People.Read"
)
WORLD: dict[str, Any] = {
    "tenants": [
        {"domain": "northwind.example", "name": "Northwind Studio"},
        {"domain": "fabrikam.example", "name": "Fabrikam Legal", "consent_policy": "recommended-2026-07"},
        {"domain": "contoso.example", "name": "Contoso"},
    ],
    "users": [
        {"address": "alice@northwind.example", "name": "Alice Berger"},
        {"address": "ben@northwind.example", "name": "Ben Okafor"},
        {"address": "dana@northwind.example", "name": "Dana Reyes", "role": "admin"},
        {"address": "erin@fabrikam.example", "name": "Erin Walsh"},
        {"address": "frank@fabrikam.example", "name": "Frank Adler", "role": "admin"},
        {"address": "carol@contoso.example", "name": "Carol Diaz", "kind": "prospect"},
    ],
}


@dataclass
class Answer:
    status: int
    headers: Message  # names in any case
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def text(self) -> str:
        return self.content.decode()


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


@dataclass
class Served:
    """A running sandbox at `url`."""

    url: str
    app: Any
    _opener: Any = field(default_factory=lambda: urllib.request.build_opener(_NoRedirect()))

    def call(
        self, method: str, path: str, *, body: Any = None, form: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:  # fmt: skip
        data, headers = None, dict(headers or {})
        if form is not None:
            data = urllib.parse.urlencode(form).encode()
            headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        elif isinstance(body, bytes):
            data = body
        elif body is not None:
            data = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        for genuine in ("https://graph.microsoft.com", "https://login.microsoftonline.com"):
            path = path.removeprefix(genuine)
        request = urllib.request.Request(self.url + path.replace(" ", "%20"), data, headers, method=method)
        try:
            with self._opener.open(request, timeout=20) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, error.read())

    def get(self, path: str, **options: Any) -> Answer:
        return self.call("GET", path, **options)

    def post(self, path: str, **options: Any) -> Answer:
        return self.call("POST", path, **options)

    def control(self, path: str, body: Any = None) -> Any:
        answer = self.get(f"/_sandbox/{path}") if body is None else self.post(f"/_sandbox/{path}", body=body)
        assert answer.status == 200, answer.text
        return answer.json

    def truth(self, mailbox: str) -> dict[str, Any]:
        return self.control("truth")["mailboxes"].get(mailbox, {})

    def settle(self) -> None:
        """Until nothing that is due is left undone: mail delivered, notifications answered."""
        until(lambda: self.control("clock")["busy"] == 0)

    def advance(self, seconds: float) -> None:
        """Move the clock, and wait until all that falls due by then has happened."""
        self.control("clock", {"advance_seconds": seconds})
        self.settle()

    def sign_in(self, address: str, scopes: str = EVERYTHING) -> "Mailbox":
        """Through the pages, as a person would; returns what the token is good for."""
        query, verifier = authorize_query(scopes)
        page = self.post("/common/oauth2/v2.0/signin", form={"account": address, "request": query})
        if page.status == 200:
            page = self.post(
                "/common/oauth2/v2.0/consent", form={**form_fields(page.text), "decision": "accept"}
            )
        assert page.status == 302, page.text
        code = callback(page)["code"]
        tokens = self.redeem(code, verifier)
        assert tokens.status == 200, tokens.text
        return Mailbox(self, address, tokens.json)

    def redeem(self, code: str, verifier: str, **changes: str) -> Answer:
        form = {
            "grant_type": "authorization_code", "client_id": APP_ID, "client_secret": APP_SECRET,
            "code": code,
            "redirect_uri": REDIRECT, "code_verifier": verifier, "client_info": "1", **changes,
        }  # fmt: skip
        return self.post("/common/oauth2/v2.0/token", form=form)


@dataclass
class Mailbox:
    """A signed-in mailbox: Graph calls with its token."""

    served: Served
    address: str
    tokens: dict[str, Any]

    def call(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, body: Any = None
    ) -> Answer:
        headers = {"Authorization": f"Bearer {self.tokens['access_token']}", **(headers or {})}
        path = path.removeprefix("https://graph.microsoft.com/v1.0")
        return self.served.call(method, f"/v1.0{path}", headers=headers, body=body)

    def get(self, path: str, **options: Any) -> Answer:
        return self.call("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Answer:
        return self.call("POST", path, body={} if body is None else body, **options)

    def draft(
        self, to: str, subject: str = "Hello", text: str = "Good morning", **more: Any
    ) -> dict[str, Any]:
        body = {
            "subject": subject,
            "body": {"contentType": "text", "content": text},
            "toRecipients": [to_address(to)],
        }
        answer = self.post("/me/messages", {**body, **more})
        assert answer.status == 201, answer.text
        return answer.json

    def send(self, message: dict[str, Any]) -> Answer:
        return self.call("POST", f"/me/messages/{message['id']}/send", body=b"")

    def write(
        self, to: str, subject: str = "Hello", text: str = "Good morning", **more: Any
    ) -> dict[str, Any]:
        """Draft, send, and wait until it has arrived."""
        draft = self.draft(to, subject, text, **more)
        assert self.send(draft).status == 202
        self.served.settle()
        return draft

    def inbox(self, select: str = "id,subject,internetMessageId,conversationId") -> list[dict[str, Any]]:
        return self.get(f"/me/mailFolders/inbox/messages?$top=100&$select={select}").json["value"]

    def delta(self, link: str) -> tuple[list[dict[str, Any]], str]:
        """All pages of a round, and the delta link at its end."""
        items: list[dict[str, Any]] = []
        while True:
            page = self.get(link).json
            items += page["value"]
            if "@odata.deltaLink" in page:
                return items, page["@odata.deltaLink"]
            link = page["@odata.nextLink"]


def to_address(address: str) -> dict[str, Any]:
    return {"emailAddress": {"name": address, "address": address}}


def until(holds: Callable[[], bool], seconds: float = 15) -> None:
    """Look again and again until it holds; fails when it does not in good time."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to rest"
        threading.Event().wait(0.01)


def authorize_query(scopes: str, **more: str) -> tuple[str, str]:
    """The query of an authorize request, and the PKCE verifier that goes with it."""
    verifier = "v" * 64
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    query = {
        "client_id": APP_ID, "response_type": "code", "redirect_uri": REDIRECT, "scope": scopes,
        "state": "s1",
        "nonce": "n1", "code_challenge": challenge, "code_challenge_method": "S256", "client_info": "1",
        **more,
    }  # fmt: skip
    return urllib.parse.urlencode(query), verifier


def form_fields(page: str, form: str = "") -> dict[str, str]:
    """The hidden fields of the page's form of that id (or of the first form)."""
    part = re.search(rf'<form[^>]*id="{form}".*?</form>' if form else r"<form.*?</form>", page, re.DOTALL)
    assert part is not None, page
    pairs = re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', part[0])
    return {unescape(name): unescape(value) for name, value in pairs}


def callback(answer: Answer) -> dict[str, str]:
    """What the app is told on its redirect URI."""
    location = answer.headers["location"]
    assert location.startswith(REDIRECT), location
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(location).query))


class Stage:
    """One server for all tests; each test puts an app of its own on it."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._app: Any = None
        self._loop = asyncio.new_event_loop()
        config = uvicorn.Config(
            self._play,
            host="127.0.0.1",
            port=port,
            log_level="error",
            lifespan="off",
            interface="asgi3",
            date_header=False,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._loop.run_until_complete, args=(self._server.serve(),), daemon=True
        )
        self._thread.start()
        until(lambda: self._server.started)

    async def _play(self, scope: Any, receive: Any, send: Any) -> None:
        await self._app(scope, receive, send)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    @contextmanager
    def with_app(self, **options: Any) -> Iterator[Served]:
        """A fresh app; afterwards, all that was said to it and by it must have kept the contract."""
        watch = watch_of_the_environment() or Watch()
        self._app = app = create_app(watch=watch, **options)
        self._run(app.state.courier.start())
        try:
            yield Served(self.url, app)
        finally:
            self._run(app.state.courier.stop())
            watch.tell()
        assert not watch.violations, "outside the contract of Graph:\n" + "\n".join(watch.violations)

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    made = Stage()
    yield made
    made.close()


@cache
def signing_key() -> str:
    """One key for all tests: to make one takes longer than most of them."""
    return private_key(create_app(world=WORLD).state.sandbox)


@pytest.fixture
def sandbox(stage: Stage) -> Iterator[Served]:
    """A fresh sandbox with two companies of ours and one stranger, and no mail."""
    store = Store()
    store.set_meta("signing_key", signing_key())
    with stage.with_app(world=WORLD, store=store) as served:
        yield served


@pytest.fixture
def alice(sandbox: Served) -> Mailbox:
    return sandbox.sign_in("alice@northwind.example")


@pytest.fixture
def carol(sandbox: Served) -> Mailbox:
    return sandbox.sign_in("carol@contoso.example")
