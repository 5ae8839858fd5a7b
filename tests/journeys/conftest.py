"""One installation for all journeys; each story in it has a workspace, a rep and a mailbox of its own."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.chromium import chromium

from .standing import Standing, a_stand
from .story import Story

__all__ = ["chromium"]


@pytest.fixture(scope="package")
def stand(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Iterator[Standing]:
    with django_db_blocker.unblock(), a_stand(tmp_path_factory.mktemp("stand")) as standing:
        yield standing


@pytest.fixture(autouse=True)
def real_clock() -> None:
    """Journeys live by the stand's clock."""


@pytest.fixture(autouse=True)
def as_microsoft_describes_itself(stand: Standing) -> Iterator[None]:
    """What a story changed of the sandbox's behaviour does not reach the next one."""
    switches = stand.look("switches")
    yield
    stand.start()
    stand.mend()
    stand.switch(**switches)
    stand.set_rate(60)
    stand.close_what_was_told()


@pytest.fixture
def story(stand: Standing) -> Iterator[Story]:
    """A rep whose mailbox is connected."""
    begun = Story.begin(stand)
    yield begun
    begun.end()


@pytest.fixture
def unconnected(stand: Standing) -> Iterator[Story]:
    """A rep who is signed in and has no mailbox yet."""
    begun = Story.begin(stand, connect=False)
    yield begun
    begun.end()
