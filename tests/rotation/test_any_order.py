"""Writing, changing keys, looking, restoring and waiting in any order: what was written last is what one reads."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatepost import clock
from gatepost.accounts.actions import INSTALLER
from gatepost.isolation import inside
from gatepost.rotation import actions, jobs
from gatepost.rotation.queries import Owner
from gatepost.snippets.models import Snippet
from gatepost.vault import generations, keys, names
from gatepost.vault.sealing import NotReadable, seal
from tests.at_once import without_threads
from tests.makers import make_workspace

from .conftest import KEPT, carry_on, pass_time

pytestmark = pytest.mark.django_db

SOME_MINUTES = timedelta(minutes=5)


class World:
    """One row, what should stand in it, and its backups with what they should say."""

    def __init__(self) -> None:
        workspace = make_workspace()
        self.owner = Owner("workspace", workspace.id, workspace.id)
        self.row = Snippet(workspace=workspace, name="hello", created_at=clock.now(), changed_at=clock.now())
        self.text, self.number, self.backups = "", 0, []
        seal(self.row, "body", self.text)
        with inside(self.owner.workspace_id):
            self.row.save(force_insert=True)
        self.backups_of_ended_days: list[bytes] = []

    def write(self) -> None:
        self.number += 1
        self.text = f"text {self.number}"
        seal(self.row, "body", self.text)
        self.store(self.row.body)

    def store(self, sealed: bytes) -> None:
        with inside(self.owner.workspace_id):
            Snippet.objects.filter(pk=self.row.pk).update(body=sealed)

    def stored(self) -> Snippet:
        with inside(self.owner.workspace_id):
            return Snippet.objects.get(pk=self.row.pk)

    def back_up(self) -> None:
        self.backups.append((bytes(self.stored().body), self.text))

    def restore(self) -> None:
        if self.backups:
            sealed, self.text = self.backups[0]
            self.store(sealed)

    def change(self) -> None:
        actions.change(self.owner, keep_former=KEPT, actor=INSTALLER)

    def look(self) -> None:
        carry_on(self.owner)

    def wait_for_seconds(self) -> None:
        """Processes still remember what they knew."""
        pass_time(self.owner, timedelta(seconds=20))

    def wait_for_minutes(self) -> None:
        pass_time(self.owner, SOME_MINUTES)
        keys._keys.forget()

    def wait_for_weeks(self) -> None:
        """Backups of before have ended. A worker looked every minute meanwhile."""
        self.wait_for_minutes()
        for _ in range(3):
            carry_on(self.owner)
        pass_time(self.owner, KEPT)
        self.backups_of_ended_days += [sealed for sealed, _ in self.backups]
        self.backups = []
        for _ in range(3):
            carry_on(self.owner)


STEPS = (
    "write",
    "back_up",
    "restore",
    "change",
    "look",
    "wait_for_seconds",
    "wait_for_minutes",
    "wait_for_weeks",
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(STEPS), max_size=14))
def test_in_any_order_what_was_written_last_is_read_and_backups_open_while_they_are_kept(monkeypatch, steps):
    without_threads(monkeypatch, jobs)
    world = World()
    for step in steps:
        getattr(world, step)()
        row = world.stored()
        assert names.open(row, "body") == world.text
        for sealed, text in world.backups:
            row.body = sealed
            assert names.open(row, "body") == text

    for _ in range(2):  # what a restore brought back lets the days begin again
        world.wait_for_weeks()
    known, sealer = generations.sealer(world.owner.key)
    assert not known.keeps_former and sealer.former == ()
    row = world.stored()
    assert names.open(row, "body") == world.text
    for sealed in world.backups_of_ended_days:
        if not sealed.startswith(sealer.newest):
            row.body = sealed
            with pytest.raises(NotReadable):
                names.open(row, "body")
