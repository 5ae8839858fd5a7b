"""One installation for all promises, with the whole cast and with unrelated mail of every kind in each mailbox.

It is told once: mailboxes are connected, a sequence is sent, people answer, absent ones come back, meetings are
booked. Each promise is then looked for in what that left behind.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

import gatepost.text
from gatepost.accounts.models import Member
from gatepost.audit.models import LedgerRow
from gatepost.demo import seed as seeding
from gatepost.demo.browser import Browser
from gatepost.demo.stand import CLIENT_ID
from gatepost.isolation import inside
from gatepost.mailboxes.models import Mailbox
from gatepost.mailboxes.queries import across_workspaces
from gatepost.reports import activity, verify
from tests.journeys.standing import Standing, a_stand
from tests.journeys.story import Story

DAYS = 9
CLASSES = 13  # kinds of unrelated mail; six mailboxes take turns


@dataclass
class Told:
    """An installation after nine days."""

    stand: Standing
    workspace: Any
    members: tuple[Member, ...]
    browser: Browser
    mailboxes: list[Mailbox]
    people: list[dict[str, str]]  # who was written to
    program_before: dict[str, str]  # what each file of the program hashed to before all this

    def rows(self, model: Any, **conditions: Any) -> list[Any]:
        with inside(self.workspace.id):
            return list(model.objects.filter(**conditions))

    def addresses(self) -> list[str]:
        return [address for address, _ in seeding.REPS]

    def truth(self) -> dict[str, Any]:
        return self.stand.look("truth")

    def unrelated(self) -> list[dict[str, Any]]:
        """The mails in the connected mailboxes that are none of our business."""
        boxes = self.truth()["mailboxes"]
        return [fact for address in self.addresses() for fact in boxes[address]["unrelated"]]


@pytest.fixture(scope="package")
def told(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Iterator[Told]:
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        # Every part logs all that it can, and all that its libraries can: the promises hold then too.
        patch.setenv("GATEPOST_LOG_LEVEL", "debug")
        with a_stand(tmp_path_factory.mktemp("told"), prospects=24, unrelated=CLASSES * 6 * 4) as stand:
            patch.undo()
            yield _tell(stand, program())
            stand.kill("worker")  # it would go on asking while the two records are read, one after the other
            assert unaccounted_for(stand) == []


# A killed worker takes with it what it had asked and not yet written down: one round's requests at most.
ON_THEIR_WAY = 60


def unaccounted_for(stand: Standing) -> list[str]:
    """Of the whole run, all promises and stories in it: what only one of the two records knows, or both tell differently."""
    rows = {str(each.get("client_request_id")): each["n"] for each in stand.requests()}
    theirs = activity.from_sandbox(stand.requests(), client_id=CLIENT_ID)
    known = set()
    for each in across_workspaces("workspace_ids"):
        with inside(each.workspace_id):
            known |= {str(key) for key in LedgerRow.objects.values_list("client_request_id", flat=True)}
    lost = [each for each in theirs if each.client_request_id not in known and each.status != 401]
    found = verify.verify_all([each for each in theirs if each not in lost])
    assert found.compared is not None and found.compared.theirs > 300
    return [
        *(f"{each.what}: {each.where}" for each in (*found.differences, *found.compared.differences)),
        *(
            f"not in our ledger: {each.method} {each.address}"
            for each in lost
            if not any(
                0 <= killed - rows[each.client_request_id] + 5 <= ON_THEIR_WAY for killed in stand.killed_at
            )
        ),
    ]


def program() -> dict[str, str]:
    """Every file that decides how replies are labelled, with its hash."""
    folder = Path(gatepost.text.__file__).parent
    kept = (path for path in sorted(folder.rglob("*")) if path.suffix in (".py", ".toml", ".onnx", ".json"))
    return {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in kept}


@pytest.fixture(autouse=True)
def real_clock() -> None:
    """Promises live by the stand's clock."""


def _people(stand: Standing) -> list[dict[str, str]]:
    return [user for user in stand.look("people") if user["kind"] == "prospect"]


def _tell(stand: Standing, before: dict[str, str]) -> Told:
    seeded = seeding.seed(stand)  # type: ignore[arg-type]
    browsers = []
    for address, _ in seeding.REPS:
        browsers.append(seeding.sign_in(stand, address))  # type: ignore[arg-type]
        seeding.connect(browsers[-1], stand, address)  # type: ignore[arg-type]
    with inside(seeded.workspace.id):
        Mailbox.objects.update(gap_seconds=2, daily_limit=400)
        mailboxes = list(Mailbox.objects.order_by("connected_at"))
    seeding.enrol_everybody(seeded, mailboxes)
    for _ in range(DAYS * 2):
        stand.settle(seeded.workspace.id)
        stand.advance(timedelta(hours=12))
    stand.settle(seeded.workspace.id)
    return Told(stand, seeded.workspace, seeded.members, browsers[0], mailboxes, _people(stand), before)


@pytest.fixture
def story(told: Told) -> Iterator[Story]:
    """A rep in a workspace of her own, for what changes things."""
    begun = Story.begin(told.stand)
    yield begun
    begun.end()
