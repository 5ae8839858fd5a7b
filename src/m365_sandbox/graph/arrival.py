"""What came in: headers and body of a request, as the ASGI server hands them over."""

from starlette.types import Receive, Scope


async def headers_and_body(scope: Scope, receive: Receive) -> tuple[dict[str, str], bytes]:
    """The headers by their names in lower case, and the whole body."""
    body = b""
    while True:
        part = await receive()
        body += part.get("body", b"")
        if not part.get("more_body"):
            break
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    return headers, body
