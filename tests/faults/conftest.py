"""An installation of its own: it is killed part by part. Otherwise as in tests/journeys/conftest.py."""

from tests.journeys.conftest import as_microsoft_describes_itself, real_clock, stand, story, unconnected

__all__ = ["as_microsoft_describes_itself", "real_clock", "stand", "story", "unconnected"]
