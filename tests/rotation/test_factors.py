"""The key of second factors is changed: apps and recovery codes go on working, and the former key ends with its backups."""

from base64 import urlsafe_b64decode
from datetime import timedelta

import psycopg
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.conf import settings

from gatepost.jobs.queue import waiting_jobs
from gatepost.rotation import commands, factors, jobs
from gatepost.vault import factors as factors_of_people
from gatepost.vault import generations, keys
from gatepost.vault.generations import MARK_BYTES
from gatepost.vault.sealing import NotReadable
from tests.at_once import at_once, without_threads
from tests.makers import make_member, make_workspace

from .conftest import KEPT

pytestmark = pytest.mark.django_db


class Person:
    def __init__(self) -> None:
        self.user = make_member(make_workspace()).user
        self.secret = generate_totp_secret()
        TOTP.activate(self.user, self.secret)
        self.codes = RecoveryCodes.activate(self.user).get_unused_codes()

    def works(self) -> bool:
        app, codes = (
            Authenticator.objects.get(user=self.user, type=each) for each in ("totp", "recovery_codes")
        )
        secret = factors_of_people.open(app.data["secret"])
        return secret == self.secret and RecoveryCodes(codes).get_unused_codes() == self.codes

    def marks(self) -> set[bytes]:
        found = Authenticator.objects.filter(user=self.user)
        sealed = [text for each in found for name, text in each.data.items() if name in ("secret", "seed")]
        return {urlsafe_b64decode(text)[:MARK_BYTES] for text in sealed}


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> Person:
    without_threads(monkeypatch, jobs)
    # The keystore is everybody's: what another test began is as good as done, and everybody knows.
    pass_time(KEPT * 2)
    while (known := generations.sealer(factors.KEY)) is not None and known[0].keeps_former:
        look()
        pass_time(KEPT)
    keys._keys.forget()
    return Person()


def pass_time(passed: timedelta) -> None:
    with psycopg.connect(settings.GATEPOST_KEYSTORE_URL, autocommit=True) as keystore:
        keystore.execute(
            "UPDATE wrapped_key SET changed_at = changed_at - %(passed)s, resealed_at = resealed_at - %(passed)s "
            "WHERE name = %(name)s",
            {"passed": passed, "name": factors.KEY},
        )


def look() -> bool:
    return bool(at_once(jobs.carry_on_with_factors()))


def test_they_work_all_the_while_and_are_sealed_anew(person):
    before = person.marks()
    assert commands.rotate_factors(keep_former=KEPT)
    assert person.works()
    assert not look(), "a process may not know the newer key yet"
    pass_time(timedelta(minutes=5))
    assert look()
    assert person.works() and len(person.marks()) == 1 and not person.marks() & before
    assert factors.left(generations.sealer(factors.KEY)[1]) == 0


def test_a_key_in_change_is_not_changed_again(person):
    assert commands.rotate_factors(keep_former=KEPT)
    assert not commands.rotate_factors(keep_former=KEPT)


def test_the_former_key_opens_a_backup_until_that_has_ended(person):
    backup = {each.pk: each.data for each in Authenticator.objects.filter(user=person.user)}

    def restore() -> None:
        for pk, data in backup.items():
            Authenticator.objects.filter(pk=pk).update(data=data)

    commands.rotate_factors(keep_former=KEPT)
    look()
    pass_time(timedelta(minutes=5))
    look()
    restore()
    assert person.works()
    pass_time(KEPT)
    assert not look(), "what came back is sealed anew, and the days begin again"
    assert person.works()
    pass_time(timedelta(minutes=5))
    look()
    pass_time(KEPT)
    assert look() and not generations.sealer(factors.KEY)[0].keeps_former
    restore()
    keys._keys.forget()
    with pytest.raises(NotReadable):
        person.works()


def test_a_process_that_knows_only_the_former_key_opens_what_another_sealed_anew(person):
    assert person.works()  # remembered from here on
    remembered = dict(keys._keys._remembered)
    commands.rotate_factors(keep_former=KEPT)
    look()
    keys._keys._remembered = remembered
    assert person.works()


def test_what_nothing_opens_stays_and_holds_nothing_up(person):
    app = Authenticator.objects.get(user=person.user, type="totp")
    whole = app.data["secret"]
    rubble = whole[:-8] + ("AAAAAAA=" if not whole.endswith("AAAAAAA=") else "BBBBBBA=")
    Authenticator.objects.filter(pk=app.pk).update(data={"secret": rubble})
    commands.rotate_factors(keep_former=KEPT)
    look()
    pass_time(timedelta(minutes=5))
    assert look()
    assert Authenticator.objects.get(pk=app.pk).data == {"secret": rubble}


def test_a_worker_goes_on_with_it_by_itself(person):
    before = waiting_jobs("rotation.reseal-factors")
    commands.rotate_factors(keep_former=KEPT)
    jobs.find_unfinished()
    assert waiting_jobs("rotation.reseal-factors") == before + 1


def test_it_is_told_how_far_it_is(person):
    commands.rotate_factors(keep_former=KEPT)
    level = next(each for each in commands.levels() if each.word == commands.WORDS["factors"])
    assert (level.keys, level.changing) == (1, 1) and level.rows_left >= 2
