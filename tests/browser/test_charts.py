"""Every chart as people see it: light and dark, on a phone and on a desk, by eye and by screen reader."""

import os
import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page

from gatepost import clock
from gatepost.accounts.models import Member
from gatepost.isolation import inside
from gatepost.outbox.models import Message
from tests.browser.axe import serious
from tests.browser.test_pages import sign_in
from tests.makers import make_contact, make_enrolment, make_mailbox, make_sequence
from tests.pages import make_meeting, make_message, make_reply
from tests.reports.worlds import DAYS, FIRST, make_world

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

SPAN = f"since={FIRST}&until={FIRST.fromordinal(FIRST.toordinal() + DAYS - 1)}"
VIEWS = [(scheme, width) for scheme in ("light", "dark") for width in (1280, 390)]
# What is drawn can be told from what lies behind it (WCAG 2.2, 1.4.11).
CONTRAST = 3.0


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing, by the heading above it."""

    page: str
    heading: str
    rects: str = "rect"


CHARTS = {
    "funnel": Chart(f"/reports/?{SPAN}", "From mail to meeting"),
    "weeks": Chart(f"/reports/?{SPAN}", "By week"),
    "labels": Chart(f"/reports/?{SPAN}", "What was answered"),
    "intervals": Chart(f"/reports/compare/?{SPAN}", "Came back", "rect.interval"),
    "limits": Chart("/reports/health/", "Mailboxes"),
}

# For each rectangle that is drawn: its colour's contrast with what lies behind, and where it stands.
LOOK = """(svgs) => {
  const spot = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const light = (colour) => {
    spot.clearRect(0, 0, 1, 1); spot.fillStyle = colour; spot.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...spot.getImageData(0, 0, 1, 1).data].map(
      (each) => each / 255 <= 0.03928 ? each / 255 / 12.92 : ((each / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (; element; element = element.parentElement) {
      const colour = getComputedStyle(element).backgroundColor;
      if (!/^rgba?\\(0, 0, 0, 0\\)$|transparent/.test(colour)) return colour;
    }
    return 'white';
  };
  return svgs.flatMap((svg) => [...svg.querySelectorAll(RECTS)].filter((rect) => rect.width.baseVal.value > 0).map((rect) => {
    const [a, b] = [light(getComputedStyle(rect).fill), light(behind(svg))].sort((x, y) => y - x);
    const box = rect.getBoundingClientRect();
    return {contrast: (a + 0.05) / (b + 0.05), left: box.left, right: box.right, width: box.width, height: box.height};
  }));
}"""


@pytest.fixture
def alice(site: str) -> Member:
    """A workspace where two months of chance have passed, with something on every page that counts."""
    member = make_world(random.Random(8), enrolments=60).member
    mailbox = make_mailbox(member, "charts@northwind.example")
    sequence = make_sequence(member)
    for label in ("interested", "question"):
        enrolment = make_enrolment(sequence, make_contact(member.workspace, first_name="Ana"), mailbox)
        sent = make_message(enrolment, sent=clock.now())
        make_reply(sent, label, "Thanks. Yes, let us talk on Tuesday.", words="let us talk")
        make_meeting(enrolment, brief="Ana Quandt, Contoso", message_id=sent.pk)
    with inside(member.workspace_id):
        Message.objects.filter(mailbox=mailbox).update(left_at=clock.now())
    return member


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """Where the pictures stay: pytest keeps them for its last runs, or GATEPOST_SHOTS names a folder."""
    return Path(os.environ.get("GATEPOST_SHOTS") or tmp_path)


def view(page: Page, scheme: Any, width: int) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})


def of(page: Page, chart: Chart) -> Locator:
    return page.locator("section", has=page.get_by_role("heading", name=chart.heading))


def test_each_chart_is_seen_in_both_themes_on_a_phone_and_on_a_desk(
    page: Page, alice: Member, shots: Path
) -> None:
    sign_in(page, alice)
    wrong = []
    for name, chart in CHARTS.items():
        page.goto(chart.page)
        for scheme, width in VIEWS:
            view(page, scheme, width)
            svgs = of(page, chart).locator("svg:not(.icon)")
            drawn = svgs.evaluate_all(LOOK.replace("RECTS", f"'{chart.rects}'"))
            of(page, chart).screenshot(path=shots / f"chart-{name}-{width}-{scheme}.png")
            where = f"{name}, {scheme}, {width}"
            if not drawn or not all(each["width"] >= 0.5 and each["height"] >= 0.5 for each in drawn):
                wrong.append(f"{where}: nothing is seen")
            if any(each["left"] < 0 or each["right"] > width for each in drawn):
                wrong.append(f"{where}: it is wider than the screen")
            if pale := [each["contrast"] for each in drawn if each["contrast"] < CONTRAST]:
                wrong.append(f"{where}: {min(pale):.1f} : 1 against what lies behind")
            if page.evaluate("document.documentElement.scrollWidth") > width:
                wrong.append(f"{where}: the page is wider than the screen")
    assert wrong == []
    assert len(list(shots.glob("chart-*.png"))) >= len(CHARTS) * len(VIEWS)


def number(text: str) -> int:
    return int(re.sub(r"\D.*", "", text.strip()))


def test_what_a_chart_draws_stands_beside_it_in_words_and_numbers(page: Page, alice: Member) -> None:
    sign_in(page, alice)
    page.goto(CHARTS["funnel"].page)
    weeks = of(page, CHARTS["weeks"])
    # A keyboard opens the table behind the columns, and a screen reader finds its rows.
    weeks.locator("summary").focus()
    page.keyboard.press("Enter")
    table = weeks.get_by_role("table")
    heads = table.get_by_role("columnheader").all_inner_texts()
    rows = [row.locator("th, td").all_inner_texts() for row in table.locator("tbody tr").all()]
    assert len(rows) == DAYS // 7
    kinds = [each.inner_text() for each in weeks.locator(".by-week strong").all()]
    assert {"Sent", "Replied", "Meetings"} <= set(kinds)
    for kind, svg in zip(kinds, weeks.locator("svg").all(), strict=True):
        column = [number(row[heads.index(kind)]) for row in rows]
        told = svg.locator("title").evaluate_all("all => all.map((each) => each.textContent)")
        assert [number(each) for each in told] == [value for value in column if value], kind
        heights = svg.locator("rect").evaluate_all("all => all.map((each) => each.height.baseVal.value)")
        drawn = [value / max(column) for value in column if value]
        assert [height / max(heights) for height in heights] == pytest.approx(drawn, abs=0.02), kind
    # Lying bars: as long as the numbers beside them, which are links that say of what.
    for name in ("funnel", "labels"):
        links = of(page, CHARTS[name]).locator("a.number")
        values = [number(each) for each in links.all_inner_texts()]
        bars = of(page, CHARTS[name]).locator("svg rect")
        lengths = bars.evaluate_all("all => all.map((each) => each.width.baseVal.value)")
        assert lengths == pytest.approx([100 * value / max(values) for value in values], abs=1), name
    sent = sum(number(row[heads.index("Sent")]) for row in rows)
    assert of(page, CHARTS["funnel"]).get_by_role("link", name=f"{sent} Sent").is_visible()
    page.goto(CHARTS["limits"].page)
    row = of(page, CHARTS["limits"]).get_by_role("row", name="charts@northwind.example")
    sent, limit = (int(each) for each in re.findall(r"\d+", row.locator("td").first.inner_text())[:2])
    length = row.locator("rect").evaluate("rect => rect.width.baseVal.value")
    assert sent == 2 and length == round(100 * sent / limit)


def test_an_interval_is_drawn_where_its_words_say(page: Page, alice: Member) -> None:
    sign_in(page, alice)
    page.goto(f"/reports/compare/?{SPAN}")
    section = of(page, CHARTS["intervals"])
    before, now = section.locator("tbody tr").all()
    assert before.inner_text().split("\t")[-1].strip() == "Nothing to count."
    assert before.locator("rect").count() == 0
    reach = number(section.locator("thead .drawing span").last.inner_text())
    low, high = (float(each) for each in re.findall(r"[\d.]+(?= %)", now.locator("td").nth(2).inner_text()))
    rect = now.locator("rect.interval").evaluate(
        "rect => [rect.x.baseVal.value, rect.x.baseVal.value + rect.width.baseVal.value]"
    )
    assert rect == pytest.approx([100 * low / reach, 100 * high / reach], abs=100 / reach)
    assert high <= reach


def test_axe_finds_nothing_serious_on_the_pages_of_meetings_and_reports(page: Page, alice: Member) -> None:
    sign_in(page, alice)
    places = [
        CHARTS["funnel"].page, f"/reports/?{SPAN}&by=variant", f"/reports/compare/?{SPAN}", "/reports/health/",
        "/reports/views/", "/meetings/?part=all", "/inbox/?part=all", "/inbox/rules/", "/inbox/corrections/", "/privacy/",
    ]  # fmt: skip
    for listed in ("/meetings/", "/inbox/"):
        page.goto(listed)
        link = page.locator("tbody th a").first.get_attribute("href")
        assert link is not None
        places.append(link)
    wrong = []
    for place in places:
        page.goto(place)
        for details in page.locator("main details").all():
            details.evaluate("each => each.open = true")
        for scheme, width in (VIEWS[0], VIEWS[-1]):
            view(page, scheme, width)
            wrong += [f"{place}, {scheme}, {width}: {each}" for each in serious(page)]
    assert not wrong, "\n".join(wrong)
