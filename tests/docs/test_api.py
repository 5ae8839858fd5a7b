"""docs/how-to/use-the-api.md lists every endpoint that there is."""

import re

from gatepost.config.api import api
from tests.docs.pages import ROOT


def test_the_page_lists_each_endpoint_and_no_other() -> None:
    text = (ROOT / "docs/how-to/use-the-api.md").read_text()
    told = set(re.findall(r"^\| `([A-Z]+ /\S+)`", text, re.MULTILINE))
    served = {
        f"{method.upper()} {path.removeprefix('/api/v1')}"
        for path, methods in api.get_openapi_schema()["paths"].items()
        for method in methods
    }
    assert told == served
