"""How often one address may open a page that anybody can open without signing in."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse

from gatepost.errors import GatepostError, Who

MINUTE = 60

View = Callable[..., HttpResponse]


class TooOften(GatepostError):
    """Too many requests from one address within a minute."""

    who: Who = "wait"
    status = 429


def at_most(times: int, name: str) -> Callable[[View], View]:
    """Opened from one address no more often than so many times in a minute, by each process."""

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            address = get_adapter().get_client_ip(request)
            key = f"at-most:{name}:{address}:{int(time.time() // MINUTE)}"
            cache.add(key, 0, timeout=2 * MINUTE)
            if cache.incr(key) > times:
                raise TooOften("Too many requests came from your address. Wait a minute, then open it again.")
            return view(request, *args, **kwargs)

        return wrapped

    return decorate
