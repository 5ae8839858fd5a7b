"""Django's settings, made from `environment`. Everything an operator may change is there, not here."""

import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

from gatepost.config import environment

ENVIRONMENT = environment.read()
PACKAGE = Path(__file__).resolve().parents[1]

SECRET_KEY = ENVIRONMENT.secret_key or "not-for-serving: `gatepost serve` makes and keeps a secret key"
DEBUG = ENVIRONMENT.debug
PUBLIC = urlsplit(ENVIRONMENT.public_url)
ALLOWED_HOSTS = [PUBLIC.hostname or "localhost", "localhost", "127.0.0.1"]
CSRF_TRUSTED_ORIGINS = [f"{PUBLIC.scheme}://{PUBLIC.netloc}"]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "procrastinate.contrib.django",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.microsoft",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.mfa",
    "allauth.usersessions",
    "django_cotton.apps.SimpleAppConfig",
    "gatepost.apps.GatepostConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "gatepost.config.health.HealthMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "gatepost.web.failures.FailureMiddleware",
    "gatepost.accounts.membership.MembershipMiddleware",
    "gatepost.accounts.sessions.SessionsMiddleware",
]

ROOT_URLCONF = "gatepost.config.urls"
WSGI_APPLICATION = "gatepost.config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PACKAGE / "web" / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "django_cotton.cotton_loader.Loader",
                        "django.template.loaders.filesystem.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "gatepost.web.frame.frame",
                "gatepost.outbox.restored.banner",
            ],
            "builtins": ["django_cotton.templatetags.cotton", "gatepost.web.templatetags.words"],
        },
    }
]
COTTON_DIR = "components"


def _database(url: str | None) -> dict[str, object]:
    parts = urlsplit(url or "postgresql://gatepost@localhost/gatepost")
    query = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.strip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(query.get("host", parts.hostname or "")),
        "PORT": query.get("port", str(parts.port or "")),
    }


# "default" is the application's role, which row-level security binds; "owner" migrates.
DATABASES = {
    "default": {
        **_database(ENVIRONMENT.database_url),
        "CONN_HEALTH_CHECKS": True,  # a database that was restarted leaves dead connections in the pool
        # For the threads of a process (jobs.threads), and for what asks beside them.
        "OPTIONS": {"pool": {"min_size": 1, "max_size": 20, "timeout": 5}},
    },
    "owner": _database(ENVIRONMENT.owner_database_url or ENVIRONMENT.database_url),
}
DATABASE_ROUTERS = ["gatepost.config.routing.OwnerMigrates"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
GATEPOST_DATABASE_URL = ENVIRONMENT.database_url or ""
GATEPOST_KEYSTORE_URL = ENVIRONMENT.keystore_url or ""
GATEPOST_KEY_FILE = ENVIRONMENT.key_file
GATEPOST_BACKUP_DAYS = ENVIRONMENT.backup_days
GATEPOST_KEYSTORE_BACKUP_DAYS = ENVIRONMENT.keystore_backup_days
GATEPOST_DATA_DIR = ENVIRONMENT.data_dir
GATEPOST_ANCHOR_FILE = ENVIRONMENT.anchor_file
GATEPOST_INSTANCE = ENVIRONMENT.instance

AUTH_USER_MODEL = "gatepost.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "gatepost.accounts.signin.InvitationOnly"
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = (
    False  # whoever asks for an unknown address gets the same page, and nobody gets mail
)
ACCOUNT_CHANGE_EMAIL = False
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False  # this session stays; all others end
ACCOUNT_DEFAULT_HTTP_PROTOCOL = PUBLIC.scheme
MFA_ADAPTER = "gatepost.accounts.signin.Factors"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # an address is known from an invitation, handed over or mailed
MFA_TOTP_TOLERANCE = 1
SOCIALACCOUNT_ADAPTER = "gatepost.accounts.signin.SingleSignOn"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = (
    True  # SingleSignOn says when: only by an address that the provider has proved
)
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_REAUTHENTICATION_REQUIRED = True
SOCIALACCOUNT_PROVIDERS = {
    "microsoft": {
        "provider_class": "gatepost.accounts.microsoft.Microsoft",
        "APPS": [{"client_id": ENVIRONMENT.sign_in_registration[0]}]
        if ENVIRONMENT.sign_in_with_microsoft
        else [],
    },
    "openid_connect": {
        "provider_class": "gatepost.accounts.openid.OpenID",
        "APPS": [
            {
                "provider_id": "openid",
                "name": ENVIRONMENT.oidc_name,
                "client_id": ENVIRONMENT.oidc_client_id,
                "secret": ENVIRONMENT.oidc_client_secret,
                "settings": {"server_url": ENVIRONMENT.oidc_issuer},
            }
        ]
        if ENVIRONMENT.oidc_issuer
        else [],
    },
}
ALLAUTH_TRUSTED_PROXY_COUNT = ENVIRONMENT.trusted_proxies
# Only allauth counts attempts in it; in the database, so that all web processes count together.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "django_cache"},
}
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/sign-in/"
ACCOUNT_LOGOUT_ON_GET = False

HTTPS = PUBLIC.scheme == "https"
SESSION_COOKIE_NAME = "__Host-gatepost" if HTTPS else "gatepost"
CSRF_COOKIE_NAME = "__Host-gatepost-csrf" if HTTPS else "gatepost-csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


# Forms may lead on to Microsoft's (or the sandbox's) sign-in page; nothing is loaded from elsewhere.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": [
            "'self'",
            "https://login.microsoftonline.com",
            *([ENVIRONMENT.sandbox_url] if ENVIRONMENT.sandbox_url else []),
            *([_origin(ENVIRONMENT.oidc_issuer)] if ENVIRONMENT.oidc_issuer else []),
        ],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 5_000_000

STATIC_URL = "/static/"
# Served from where they lie: everything is vendored and built, nothing has to be collected.
STATIC_ROOT = PACKAGE / "web" / "static"
WHITENOISE_USE_FINDERS = True  # and allauth's scripts for passkeys from where that lies

LANGUAGE_CODE = "en-gb"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

PROCRASTINATE_IMPORT_PATHS = [
    "gatepost.post.jobs",
    "gatepost.accounts.invitations",
    "gatepost.accounts.letters",
    "gatepost.mailboxes.jobs",
    "gatepost.contacts.jobs",
    "gatepost.outbox.comparing",
    "gatepost.outbox.jobs",
    "gatepost.outbox.restored",
    "gatepost.conversations.jobs",
    "gatepost.sequences.jobs",
    "gatepost.intake.jobs",
    "gatepost.meetings.jobs",
    "gatepost.chains.jobs",
    "gatepost.alerts.jobs",
    "gatepost.erasure.jobs",
    "gatepost.rotation.jobs",
    "gatepost.reports.jobs",
]

_smtp = urlsplit(ENVIRONMENT.smtp_url or "")
EMAIL_BACKEND = (
    "gatepost.post.letterbox.Letterbox"
    if _smtp.scheme == "file"
    else "django.core.mail.backends.smtp.EmailBackend"
)
EMAIL_HOST, EMAIL_PORT = _smtp.hostname or "localhost", _smtp.port or 25
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(_smtp.username or ""), unquote(_smtp.password or "")
EMAIL_USE_SSL = _smtp.scheme == "smtps"
# A server on another machine is spoken to under TLS, or not at all.
EMAIL_USE_TLS = _smtp.scheme == "smtp" and EMAIL_HOST not in ("localhost", "127.0.0.1", "::1")
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = ENVIRONMENT.mail_from

GATEPOST_SMTP_URL = ENVIRONMENT.smtp_url
GATEPOST_PUBLIC_URL = ENVIRONMENT.public_url
GATEPOST_HOOKS_URL = ENVIRONMENT.hooks_url
GATEPOST_CLIENT_ID = ENVIRONMENT.client_id
GATEPOST_CLIENT_SECRET = ENVIRONMENT.client_secret
GATEPOST_CLIENT_SECRET_EXPIRES = ENVIRONMENT.client_secret_expires
GATEPOST_CLIENT_SECRET_SPARE = ENVIRONMENT.client_secret_spare
GATEPOST_CLIENT_CERTIFICATE = ENVIRONMENT.client_certificate
GATEPOST_TENANT = ENVIRONMENT.tenant
GATEPOST_PUBLISHER = ENVIRONMENT.publisher
GATEPOST_SIGN_IN_WITH_MICROSOFT = ENVIRONMENT.sign_in_with_microsoft
GATEPOST_SIGN_IN_CLIENT_ID, GATEPOST_SIGN_IN_CLIENT_SECRET = ENVIRONMENT.sign_in_registration
GATEPOST_OIDC_NAME = ENVIRONMENT.oidc_name if ENVIRONMENT.oidc_issuer else ""
GATEPOST_SANDBOX_URL = ENVIRONMENT.sandbox_url
GATEPOST_SYNC_EVERY = ENVIRONMENT.sync_every
GATEPOST_WORKER_JOBS = ENVIRONMENT.worker_jobs

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "lines": {"()": "gatepost.config.logs.OneLine"},
        "json": {"()": "gatepost.config.logs.OneObject"},
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": ENVIRONMENT.logs, "stream": sys.stderr}
    },
    "root": {"handlers": ["stderr"], "level": ENVIRONMENT.log_level or "WARNING"},
    "loggers": {
        "gatepost": {"level": ENVIRONMENT.log_level or "INFO"},
        "procrastinate": {"level": ENVIRONMENT.log_level or "WARNING"},
    },
}
