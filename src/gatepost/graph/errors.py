"""What can go wrong with Microsoft, sorted by who must act.

GraphError
├── TryLater          wait: throttled, or the service does not answer (.retry_after)
├── TooLate           nobody: its deadline passed before it could leave, so it never left
├── TokenStale        nobody: refused before anything was done; a fresh token is there for another try
├── Unclear           wait: a write whose outcome is unknown; look before anything else
├── NotThere          nobody: the item no longer exists
├── Unreadable        nobody: an answer larger than we take; asking again brings the same
├── SyncStateLost     nobody: the position is too old; walk again
├── Refused           us, or the person its code names (.code): a definite no
├── ReconnectNeeded   the rep must sign in again
├── ApprovalNeeded    an administrator of the tenant must approve a permission
├── MailboxUnusable   IT: no licence, on-premises, deleted
└── RegistrationWrong the operator of Gatepost: app registration or its secret
"""

from datetime import timedelta

from gatepost.errors import GatepostError, Who


class GraphError(GatepostError):
    "Microsoft Graph or Entra ID refused or did not answer."

    def __init__(self, message: str, *, code: str = "", status: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.http_status = status


class TryLater(GraphError):
    "Microsoft asked us to wait, or did not answer a question that may be asked again."

    who: Who = "wait"

    def __init__(
        self, message: str, *, retry_after: timedelta | None = None, code: str = "", status: int = 0
    ) -> None:
        super().__init__(message, code=code, status=status)
        self.retry_after = retry_after


class TooLate(GraphError):
    "The deadline passed before the request could leave. It never left."

    who: Who = "wait"


class TokenStale(GraphError):
    "Microsoft took the token no longer and did nothing. A fresh one is there; whether to try anew is not decided here."

    who: Who = "wait"


class Unclear(GraphError):
    "Whether Microsoft did what we asked is unknown. It is found out by looking, never by asking again."

    who: Who = "wait"


class NotThere(GraphError):
    "The message or event no longer exists."


class Unreadable(GraphError):
    "The answer is larger than we take."


class SyncStateLost(GraphError):
    "Microsoft no longer knows our position in this folder."


class Refused(GraphError):
    "A definite no; `code` is Microsoft's."


class ReconnectNeeded(GraphError):
    "The rep must sign in with Microsoft again."

    who: Who = "rep"


class ApprovalNeeded(GraphError):
    "An administrator of the organisation must approve this permission."

    who: Who = "it"


class MailboxUnusable(GraphError):
    "This user has no usable Exchange Online mailbox."

    who: Who = "it"


class RegistrationWrong(GraphError):
    "The app registration or its secret is wrong. No mailbox is broken; the operator must correct it."

    who: Who = "operator"


class ShapeUnknown(GraphError):
    "A request outside the closed list. It never left."
