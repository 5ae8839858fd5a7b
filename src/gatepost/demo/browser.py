"""A person at a browser, headless: opens pages, follows links, fills in forms and presses buttons."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import urlencode, urljoin

TIMEOUT_SECONDS = 30


@dataclass
class Form:
    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)  # (name, value, text)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._in_form = False
        self._button: list[str] | None = None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        at = {name: value or "" for name, value in attributes}
        if tag == "form":
            self.forms.append(Form(at.get("action", ""), at.get("method", "get").lower()))
            self._in_form = True
        elif not self._in_form:
            return
        elif tag == "input" and at.get("name"):
            unticked = at.get("type") in ("checkbox", "radio") and "checked" not in at
            if at.get("type") == "submit":
                self.forms[-1].buttons.append((at["name"], at.get("value", ""), at.get("value", "")))
            elif not unticked:
                self.forms[-1].fields[at["name"]] = at.get("value", "")
        elif tag == "textarea" and at.get("name"):
            self.forms[-1].fields[at["name"]] = ""
        elif tag == "button":
            self._button = [at.get("name", ""), at.get("value", ""), ""]

    def handle_data(self, data: str) -> None:
        if self._button is not None:
            self._button[2] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._in_form = False
        elif tag == "button" and self._button is not None:
            name, value, text = self._button
            self.forms[-1].buttons.append((name, value, " ".join(text.split())))
            self._button = None


class CannotGoOn(RuntimeError):
    "A page did not show what the person looked for."


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, and remembers where they led."""

    def __init__(self) -> None:
        self.addresses: list[str] = []

    def redirect_request(self, *given: Any) -> urllib.request.Request | None:
        self.addresses.append(given[-1])
        return super().redirect_request(*given)


class Browser:
    """One person's browser: its cookies, and the page it shows (`address`, `status`, `text`).

    `redirects` are the addresses that it was sent to on the way.
    """

    def __init__(self) -> None:
        following = _Redirects()
        self.redirects = following.addresses
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()), following)
        self.address, self.status, self.text = "", 0, ""

    def open(self, address: str, data: dict[str, str] | None = None) -> "Browser":
        """Show this page; a form's data is posted. Redirects are followed as a browser does."""
        address = urljoin(self.address, address)
        request = urllib.request.Request(address, None if data is None else urlencode(data).encode())
        if self.address:
            request.add_header("Referer", self.address)
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                self.address, self.status, self.text = answer.url, answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            self.address, self.status, self.text = error.url or address, error.code, error.read().decode()
        return self

    def press(self, button: str, **values: str) -> "Browser":
        """Fill in the form that has this button (its text, or its value), and press it."""
        for form in self._forms():
            for name, value, text in form.buttons:
                if button in (text, value):
                    data = {**form.fields, **values, **({name: value} if name else {})}
                    if form.method == "get":
                        return self.open(f"{urljoin(self.address, form.action)}?{urlencode(data)}")
                    return self.open(form.action or self.address, data)
        raise CannotGoOn(f"There is no button {button!r} on {self.address} ({self.status}).")

    def _forms(self) -> list[Form]:
        parser = _Forms()
        parser.feed(self.text)
        return parser.forms


def get_json(address: str) -> dict[str, object]:
    with urllib.request.urlopen(address, timeout=TIMEOUT_SECONDS) as answer:
        value: dict[str, object] = json.loads(answer.read())
        return value


def sandbox_log(sandbox_url: str) -> Iterator[dict[str, Any]]:
    """Every request that the sandbox was asked, by its own record."""
    after = 0
    while True:
        page: Any = get_json(f"{sandbox_url}/_sandbox/log?after={after}&limit=2000")
        yield from page["requests"]
        if not page["requests"]:
            return
        after = page["requests"][-1]["n"]


def post_json(address: str, value: dict[str, object]) -> dict[str, object]:
    request = urllib.request.Request(
        address, json.dumps(value).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
        got: dict[str, object] = json.loads(answer.read())
        return got
