"""axe-core on a page: what a screen reader, a keyboard or a poor eye cannot use."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_AXE = Axe()


def serious(page: Page) -> list[str]:
    """What axe finds serious or critical, each with where it stands."""
    found = _AXE.run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{each['id']}: {node['html'][:160]}"
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]
