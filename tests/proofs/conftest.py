"""An installation of its own: its worker is killed and its database is restored. Otherwise as in tests/journeys."""

from tests.journeys.conftest import as_microsoft_describes_itself, real_clock, stand, story

__all__ = ["as_microsoft_describes_itself", "real_clock", "stand", "story"]
