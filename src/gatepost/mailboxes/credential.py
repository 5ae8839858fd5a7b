"""The credentials of our app registration: which are set, when they end, and whether Microsoft takes them.

A refusal of the registration breaks no mailbox: everything waits, and owners and administrators are told once.
"""

import hashlib
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from gatepost import clock
from gatepost.graph.credentials import Certificate, Credential, read_certificate
from gatepost.graph.errors import RegistrationWrong
from gatepost.jobs.queue import enqueue
from gatepost.mailboxes import health
from gatepost.mailboxes.models import Registration
from gatepost.vault.sealing import installation_index

log = logging.getLogger(__name__)

# While Microsoft refuses the registration it is asked so often, by all mailboxes together.
TRY_EVERY = timedelta(minutes=5)
REAL_PAUSE = timedelta(seconds=2)
# A new secret takes Microsoft a while to know everywhere.
ALARM_AFTER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Ends:
    """The credential in use ends at this moment."""

    what: str  # "secret" or "certificate"
    at: datetime

    def days_left(self, now: datetime) -> int:
        return (self.at - now).days


def credentials() -> list[Credential]:
    """What is set, in the order in which it is used: the certificate, the secret, the spare secret."""
    found: list[Credential] = []
    file = settings.GATEPOST_CLIENT_CERTIFICATE
    if file is not None:
        try:
            found.append(read_certificate(file.read_bytes()))
        except OSError as error:
            raise RegistrationWrong(
                f"GATEPOST_CLIENT_CERTIFICATE={file} cannot be read: {error.strerror}."
            ) from None
        except ValueError as error:
            raise RegistrationWrong(f"GATEPOST_CLIENT_CERTIFICATE={file} {error}.") from None
    secrets = (settings.GATEPOST_CLIENT_SECRET, settings.GATEPOST_CLIENT_SECRET_SPARE)
    return [*found, *filter(None, secrets)]


def ends() -> Ends | None:
    """When the credential in use ends, where that is known: read from the certificate, or told for the secret."""
    first = next(iter(credentials()), None)
    if isinstance(first, Certificate):
        return Ends("certificate", first.ends)
    day = settings.GATEPOST_CLIENT_SECRET_EXPIRES
    return Ends("secret", datetime.combine(day, time.min, UTC)) if first and day else None


def require_accepted() -> None:
    """Raises RegistrationWrong where Microsoft refused us a moment ago: it is not asked by every mailbox anew."""
    row = Registration.objects.filter(pk=_key(), try_again_at__gt=clock.now()).first()
    if row is not None:
        raise RegistrationWrong(
            "Microsoft refuses our app registration or its secret.", code=row.refused_code
        )


def refusal() -> Registration | None:
    """What Microsoft last said, while it refuses us."""
    return Registration.objects.filter(pk=_key(), refused_since__isnull=False).first()


def refused(code: str) -> None:
    """Microsoft refuses us with these credentials. Owners and administrators are told once, if it stays so."""
    now = clock.now()
    with transaction.atomic():
        Registration.objects.get_or_create(pk=_key())
        row = Registration.objects.select_for_update().get(pk=_key())
        row.refused_code, row.refused_since = code[:40], row.refused_since or now
        row.try_again_at = now + clock.at_least(TRY_EVERY, real=REAL_PAUSE)
        if row.alarmed_at is None and now - row.refused_since >= ALARM_AFTER:
            row.alarmed_at = now
            log.error("Microsoft refuses our app registration: gatepost doctor", extra={"reason": code})
            enqueue("mailboxes.alarm", kind="registration", about=row.refused_code)
        row.save()


def accepted() -> None:
    """Microsoft takes us. What it said before is forgotten."""
    refused_before = Registration.objects.filter(pk=_key(), refused_since__isnull=False)
    refused_before.update(refused_code="", refused_since=None, try_again_at=None, alarmed_at=None)


def warn_of_end() -> bool:
    """Owners and administrators are warned that the credential ends, once at each stage. True when they were."""
    end, now = ends(), clock.now()
    reached = health.stage(end.days_left(now)) if end else None
    if reached is None or end is None:
        return False
    with transaction.atomic():
        Registration.objects.get_or_create(pk=_key())
        fresh = Registration.objects.select_for_update().filter(
            Q(warned_days__isnull=True) | Q(warned_days__gt=reached), pk=_key()
        )
        if not fresh.update(warned_days=reached):
            return False
        log.warning("the %s of the app registration ends on %s", end.what, end.at.date())
        enqueue("mailboxes.alarm", kind="credential_ends", about=str(reached))
    return True


def _key() -> str:
    """Another secret is another registration: what Microsoft said of the old one is no longer true."""
    parts = [c.public if isinstance(c, Certificate) else str(c) for c in credentials()]
    known = hashlib.sha256("\0".join([settings.GATEPOST_CLIENT_ID, *parts]).encode()).hexdigest()
    return installation_index("registration", known)
