"""The root of our errors. Each error says who can act on it, in a sentence meant for that person."""

from typing import Literal

Who = Literal["wait", "rep", "it", "operator", "us"]


class GatepostError(Exception):
    """Something did not happen. `message` is for the person in `who`; it holds no address, token or mail text."""

    who: Who = "us"
    status = 500  # what a page or the API answers with

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BadInput(GatepostError):
    """What was sent in cannot be used; the message says what to change. Nothing was stored."""

    who: Who = "rep"
    status = 400


class NotAllowed(GatepostError):
    """This member's role does not permit it."""

    who: Who = "it"
    status = 403


class Conflict(GatepostError):
    """It contradicts what is there already (a second connect, a second enrolment)."""

    who: Who = "rep"
    status = 409
