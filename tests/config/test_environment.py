import pytest

from gatepost.config import environment
from gatepost.config.environment import ALL, Environment, Secret, WrongSetting, read

SECRET = "a-secret-nobody-must-read"


def wrong(**variables):
    with pytest.raises(WrongSetting) as raised:
        read(variables)
    return raised.value.message


def test_without_any_variable_there_are_usable_defaults():
    settings = read({})
    assert (settings.public_url, settings.port, settings.tenant) == (
        "http://localhost:8000",
        8000,
        "organizations",
    )
    assert settings.key_file == settings.data_dir / "installation.key"


BAD_VALUES = {
    "GATEPOST_PORT": ["0", "65536", "http", "80.5", "-1"],
    "GATEPOST_HOOKS_PORT": ["x"],
    "GATEPOST_METRICS_PORT": ["0", "x"],
    "GATEPOST_BACKUP_DAYS": ["0", "ten"],
    "GATEPOST_KEYSTORE_BACKUP_DAYS": ["0", "8"],
    "GATEPOST_LOGS": ["xml"],
    "GATEPOST_INSTANCE": ["first", "0192f0c4"],
    "GATEPOST_PUBLIC_URL": ["localhost:8000", "ftp://x", "https://", "https://x/?a=1", "https://x/#top"],
    "GATEPOST_HOOKS_URL": ["gatepost"],
    "GATEPOST_SANDBOX_URL": ["127.0.0.1:8790"],
    "GATEPOST_SYNC_EVERY": ["4", "86401", "5 minutes"],
    "GATEPOST_WORKER_JOBS": ["0", "201"],
    "GATEPOST_SIGN_IN_WITH_MICROSOFT": ["perhaps"],
    "GATEPOST_OIDC_ISSUER": ["id.northwind.example"],
    "GATEPOST_TRUSTED_PROXIES": ["10", "-1", "all"],
    "GATEPOST_DEBUG": ["perhaps"],
    "GATEPOST_LOG_LEVEL": ["loud"],
    "GATEPOST_CLIENT_SECRET_EXPIRES": ["soon", "31.03.2027"],
}
BAD_SECRETS = {
    "DATABASE_URL": ["mysql://u:pw-zq@h/db", "postgresql://u:pw-zq@h"],
    "GATEPOST_OWNER_DATABASE_URL": ["pw-zq"],
    "GATEPOST_KEYSTORE_URL": ["pw-zq"],
    "GATEPOST_SMTP_URL": ["http://u:pw-zq@mail"],
    "GATEPOST_SECRET_KEY": ["pw-zq-too-short"],
}


@pytest.mark.parametrize(
    ("variable", "value"), [(name, v) for name, values in BAD_VALUES.items() for v in values]
)
def test_a_wrong_value_is_named_with_its_variable_and_the_accepted_form(variable, value):
    message = wrong(**{variable: value})
    form = next(setting.form for setting in ALL if setting.variable == variable)
    assert variable in message and repr(value) in message and form in message


@pytest.mark.parametrize(
    ("variable", "value"), [(name, v) for name, values in BAD_SECRETS.items() for v in values]
)
def test_a_wrong_secret_is_named_but_never_shown(variable, value):
    message = wrong(**{variable: value})
    assert variable in message and "pw-zq" not in message and "must be" in message


def test_every_setting_that_may_be_wrong_is_tried_here():
    def accepts_anything(setting):
        return setting.parse in (environment._text, environment._path)

    tried = set(BAD_VALUES) | set(BAD_SECRETS)
    assert {s.variable for s in ALL if not accepts_anything(s)} <= tried


def test_every_setting_is_part_of_the_environment():
    names = {name.lower() for name, value in vars(environment).items() if value in ALL}
    assert names == set(Environment.__dataclass_fields__)


def test_white_space_around_a_value_does_not_matter_and_an_empty_one_is_none():
    settings = read({"GATEPOST_PORT": " 9000 ", "GATEPOST_HOOKS_URL": "  "})
    assert (settings.port, settings.hooks_url) == (9000, None)


def test_a_slash_at_the_end_of_an_address_does_not_matter():
    assert (
        read({"GATEPOST_PUBLIC_URL": "https://gatepost.example.com/"}).public_url
        == "https://gatepost.example.com"
    )


def test_a_secret_may_come_from_a_file(tmp_path):
    file = tmp_path / "client-secret"
    file.write_text(SECRET + "\n")
    settings = read({"GATEPOST_CLIENT_SECRET_FILE": str(file)})
    assert settings.client_secret == SECRET
    assert SECRET not in repr(settings)


def test_a_secret_that_is_set_goes_before_its_file(tmp_path):
    settings = read(
        {"GATEPOST_CLIENT_SECRET": SECRET, "GATEPOST_CLIENT_SECRET_FILE": str(tmp_path / "missing")}
    )
    assert settings.client_secret == SECRET


def test_a_secrets_file_that_cannot_be_read_is_named(tmp_path):
    message = wrong(GATEPOST_CLIENT_SECRET_FILE=str(tmp_path / "missing"))
    assert "GATEPOST_CLIENT_SECRET_FILE" in message and "missing" in message


def test_a_secret_does_not_print_itself():
    assert repr(Secret(SECRET)) == "***"
    assert SECRET not in repr(
        read({"GATEPOST_CLIENT_SECRET": SECRET, "GATEPOST_KEYSTORE_URL": f"postgresql://u:{SECRET}@h/d"})
    )


def test_a_real_secret_never_travels_to_the_sandbox():
    message = wrong(GATEPOST_SANDBOX_URL="http://127.0.0.1:8790", GATEPOST_CLIENT_SECRET=SECRET)
    assert "GATEPOST_SANDBOX_URL" in message and SECRET not in message


def test_neither_does_a_real_secret_of_the_sign_in():
    message = wrong(GATEPOST_SANDBOX_URL="http://127.0.0.1:8790", GATEPOST_SIGN_IN_CLIENT_SECRET=SECRET)
    assert "GATEPOST_SANDBOX_URL" in message and SECRET not in message


def test_signing_in_with_microsoft_needs_a_registration_the_mailboxes_or_its_own():
    assert "GATEPOST_CLIENT_ID" in wrong(GATEPOST_SIGN_IN_WITH_MICROSOFT="yes")
    of_mailboxes = {"GATEPOST_CLIENT_ID": "a", "GATEPOST_CLIENT_SECRET": SECRET}
    own = {"GATEPOST_SIGN_IN_CLIENT_ID": "b", "GATEPOST_SIGN_IN_CLIENT_SECRET": "other"}
    yes = {"GATEPOST_SIGN_IN_WITH_MICROSOFT": "yes"}
    assert read({**yes, **of_mailboxes}).sign_in_registration == ("a", SECRET)
    assert read({**yes, **of_mailboxes, **own}).sign_in_registration == ("b", "other")


def test_an_openid_provider_needs_what_it_gave():
    assert "GATEPOST_OIDC_CLIENT_ID" in wrong(GATEPOST_OIDC_ISSUER="https://id.northwind.example")


def test_the_sandboxs_own_secret_may():
    settings = read({"GATEPOST_SANDBOX_URL": "http://127.0.0.1:8790", "GATEPOST_CLIENT_SECRET": "sandbox-x"})
    assert settings.sandbox_url == "http://127.0.0.1:8790"


def test_real_mail_is_sent_by_real_time_only():
    assert "GATEPOST_CLOCK_FILE" in wrong(GATEPOST_CLOCK_FILE="/run/clock.json")


@pytest.mark.parametrize(
    ("variable", "value", "accepted"),
    [
        ("GATEPOST_CLIENT_SECRET_SPARE", SECRET, False),
        ("GATEPOST_CLIENT_SECRET_SPARE", "sandbox-spare", True),
        ("GATEPOST_CLIENT_CERTIFICATE", "/etc/gatepost/gatepost.pem", False),
        ("GATEPOST_CLIENT_CERTIFICATE", "/tmp/sandbox-app.pem", True),
    ],
)
def test_nothing_that_microsoft_would_take_is_shown_to_a_sandbox(variable, value, accepted):
    variables = {"GATEPOST_SANDBOX_URL": "http://127.0.0.1:8790", variable: value}
    if accepted:
        assert read(variables).sandbox_url
    else:
        assert SECRET not in wrong(**variables)
