"""Django's settings. Values an operator may change are read by `assessment.project.config`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from assessment.project.config import ROOT, Config
from assessment.project.db.base import parse_url
from assessment.project.secrets import read_or_make_secret

try:
    CONFIG = Config()
except ValidationError as error:
    lines = [f"  {'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors()]
    sys.exit("Grandlist cannot start: a setting in the environment is not usable\n" + "\n".join(lines))

BASE_DIR = ROOT
VAR_DIR: Path = CONFIG.var_dir
DEBUG = CONFIG.debug
SECRET_KEY = CONFIG.secret_key or read_or_make_secret(VAR_DIR, "django-secret-key")
ALLOWED_HOSTS = CONFIG.allowed_hosts
CSRF_TRUSTED_ORIGINS = CONFIG.trusted_origins
TRUSTED_PROXIES = CONFIG.trusted_proxies

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "axes",
    "assessment.project.apps.NinjaConfig",
    "assessment",
    "gis",
    "valuation",
    "fieldsync",
]

MIDDLEWARE = [
    "assessment.region.proxies.ProxiesMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "assessment.region.middleware.RequestIdMiddleware",
    "assessment.project.metrics.RequestMetricsMiddleware",
    "fieldsync.devices.answers.FieldAnswersMiddleware",
    "assessment.region.middleware.ProblemsOfInterfacesMiddleware",
    "assessment.region.maintenance.MaintenanceMiddleware",
    "assessment.region.middleware.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "assessment.region.middleware.SignInMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
    "assessment.region.middleware.TownScopeMiddleware",
    "assessment.office.failures.ProblemPageMiddleware",
]

ROOT_URLCONF = "assessment.project.urls"
WSGI_APPLICATION = "assessment.project.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [
            BASE_DIR / "assessment" / folder / "templates"
            for folder in ("office", "property", "sales", "roll", "appeals")
        ],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "assessment.office.shell.context",
            ],
            "builtins": ["assessment.office.tags"],
        },
    }
]

DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "assessment.project.db",
        "CONN_MAX_AGE": CONFIG.db_max_connection_age_s,
        "CONN_HEALTH_CHECKS": True,
        **(
            parse_url(CONFIG.database_url)
            if CONFIG.database_url
            else {"NAME": "grandlist", "PRIVATE_CLUSTER": str(VAR_DIR)}
        ),
    }
}
DATABASE_OWNER_URL = CONFIG.database_owner_url
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "assessment.Person"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "CommonPasswordValidator", "NumericPasswordValidator")
] + [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}}
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign-in"
AXES_FAILURE_LIMIT = CONFIG.sign_in_attempts
AXES_COOLOFF_TIME = CONFIG.sign_in_cooloff_minutes / 60
AXES_LOCKOUT_CALLABLE = "assessment.office.pages.sign_in.locked_out"
CSRF_FAILURE_VIEW = "assessment.office.failures.csrf_failure"
AXES_CLIENT_IP_CALLABLE = "assessment.region.proxies.client_address"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_USERNAME_FORM_FIELD = "username"
AXES_VERBOSE = False
AXES_DISABLE_ACCESS_LOG = True

LANGUAGE_CODE = "en-us"
TIME_ZONE = "America/New_York"
USE_TZ = True
USE_I18N = False
# Templates say which numbers are amounts (`number`, `dollars`): a year is none.
USE_THOUSAND_SEPARATOR = False

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "assessment" / "office" / "static"]
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(VAR_DIR / "blobs"), "base_url": None},
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 9 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = CONFIG.https
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Cookies belong to the port too, so that two checkouts on one host do not sign each other out.
SESSION_COOKIE_NAME = "grandlist_session"
CSRF_COOKIE_NAME = "grandlist_csrf"

# Answered outside of any town's scope: the tablets state theirs by their device token.
SCOPE_EXEMPT_PREFIXES = ("/api/field/", "/healthz", "/metrics", "/ca.crt", "/static/")

CELERY_BROKER_URL = str(CONFIG.celery_broker_url) if CONFIG.celery_broker_url else "filesystem://localhost//"
CELERY_TASK_ALWAYS_EAGER = CONFIG.tasks_eager
METRICS_ALLOWED_NETWORKS = CONFIG.metrics_allowed_networks
DISK_RESERVE_MB = CONFIG.disk_reserve_mb
FIELD_PUSH_MAX_ITEMS = CONFIG.field_push_max_items
FIELD_PUSH_MAX_BYTES = CONFIG.field_push_max_bytes
FIELD_PUSH_MAX_INFLATED_BYTES = CONFIG.field_push_max_inflated_bytes
FIELD_PUSH_MAX_NESTING = CONFIG.field_push_max_nesting
FIELD_PUSH_SLOTS = CONFIG.field_push_slots
# How many processes share the limits at the door: gunicorn says it to those it starts.
WEB_PROCESSES = max(1, CONFIG.web_workers)
FIELD_REQUESTS_PER_S = CONFIG.field_requests_per_s
FIELD_REQUEST_BURST = CONFIG.field_request_burst
FIELD_DOOR_REQUESTS_PER_S = CONFIG.field_door_requests_per_s
FIELD_DOOR_REQUEST_BURST = CONFIG.field_door_request_burst
FIELD_ADDRESS_REQUESTS_PER_S = CONFIG.field_address_requests_per_s
FIELD_ADDRESS_REQUEST_BURST = CONFIG.field_address_request_burst
FIELD_POLL_S = CONFIG.field_poll_s
FIELD_GRANT_HOURS = CONFIG.field_grant_hours
FIELD_MIN_APP_VERSION = CONFIG.field_min_app_version
UPLOAD_TAKEOVER_S = CONFIG.upload_takeover_s
UPLOAD_SILENCE_S = CONFIG.upload_silence_s
# The reference tablet that `cycle` takes to the field; named here, since assessment stands below fieldsync.
TABLET_CLIENT = "fieldsync.client.Tablet"
CERTIFICATIONS_DIR = VAR_DIR / "certifications"
SEALING_KEYS_DIR = VAR_DIR / "keys"

LOGGING_CONFIG = "assessment.project.logs.configure"
LOGGING: dict[str, Any] = {"level": CONFIG.log_level, "format": CONFIG.log_format}
TEST_RUNNER = "django.test.runner.DiscoverRunner"
