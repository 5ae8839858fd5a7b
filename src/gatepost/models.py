"""Gathers the concepts' tables, so that Django finds them. Nothing else belongs here."""

from gatepost.accounts.models import *  # noqa: F403
from gatepost.alerts.models import *  # noqa: F403
from gatepost.audit.models import *  # noqa: F403
from gatepost.chains.models import *  # noqa: F403
from gatepost.contacts.models import *  # noqa: F403
from gatepost.conversations.models import *  # noqa: F403
from gatepost.erasure.models import *  # noqa: F403
from gatepost.intake.models import *  # noqa: F403
from gatepost.mailboxes.models import *  # noqa: F403
from gatepost.meetings.models import *  # noqa: F403
from gatepost.outbox.models import *  # noqa: F403
from gatepost.reports.models import *  # noqa: F403
from gatepost.rotation.models import *  # noqa: F403
from gatepost.sequences.models import *  # noqa: F403
from gatepost.snippets.models import *  # noqa: F403
