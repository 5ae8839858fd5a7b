"""Our own addresses, asked as browsers and Microsoft ask them: through name server, proxy and certificate."""

from dataclasses import dataclass, field
from secrets import token_urlsafe
from urllib.parse import urlsplit

import requests

TIMEOUT_SECONDS = 8


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back. `problem` says why nothing usable did."""

    problem: str = ""
    status: int = 0
    strict_transport: bool = False
    said: dict[str, object] = field(default_factory=dict)


def pages(public_url: str) -> Answered:
    """What the pages' process says of itself (config/health.py) when it is asked by the public address."""
    try:
        answer = requests.get(f"{public_url}/health/live", timeout=TIMEOUT_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        return Answered(problem=_why(error))
    try:
        said = answer.json()
    except ValueError:
        said = {}
    return Answered(
        status=answer.status_code, strict_transport="Strict-Transport-Security" in answer.headers,
        said=said if isinstance(said, dict) else {},
    )  # fmt: skip


def handshake(hooks_url: str) -> Answered:
    """Whether the address passes the test that Microsoft makes before it notifies anybody: the token comes back.

    https://learn.microsoft.com/graph/change-notifications-delivery-webhooks#notificationurl-validation
    """
    token = token_urlsafe(24)
    try:
        answer = requests.post(
            hooks_url, params={"validationToken": token}, headers={"Content-Type": "text/plain; charset=utf-8"},
            timeout=TIMEOUT_SECONDS, allow_redirects=False,
        )  # fmt: skip
    except requests.RequestException as error:
        return Answered(problem=_why(error))
    plain = answer.headers.get("Content-Type", "").startswith("text/plain")
    problem = (
        "" if answer.status_code == 200 and plain and answer.text == token else "it does not echo the token"
    )
    return Answered(problem=problem, status=answer.status_code)


def _why(error: requests.RequestException) -> str:
    """The cause in a word or two; addresses and the library's long texts stay out."""
    match error:
        case requests.exceptions.SSLError():
            return "its certificate is not trusted"
        case requests.exceptions.Timeout():
            return f"no answer within {TIMEOUT_SECONDS} s"
        case requests.exceptions.ConnectionError() if "NameResolution" in str(error):
            return (
                f"the name {urlsplit(str(error.request and error.request.url or '')).hostname} is not known"
            )
        case requests.exceptions.ConnectionError():
            return "no connection"
        case _:
            return type(error).__name__
