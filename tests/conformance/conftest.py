"""The official clients meet the same sandbox, served in the same way, as our own tests."""

from tests.sandbox.conftest import sandbox, stage

__all__ = ["sandbox", "stage"]
