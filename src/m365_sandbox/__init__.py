"""A stand-in for Microsoft 365: Entra ID and Microsoft Graph, with mailboxes in which people live.

>>> app = create_app(seed=1)
answers the paths of login.microsoftonline.com and graph.microsoft.com. See README.md.
"""

from m365_sandbox.app import create_app
from m365_sandbox.switches import Switches

__all__ = ["Switches", "create_app"]
