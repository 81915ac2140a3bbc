"""All settings in one file, safe for production when nothing says otherwise.

Every value that differs between machines comes from the environment; `.env.sample` lists them all. Outside
development (`DEBUG` is not true) what cannot be guessed has no default, and the process refuses to start.
"""

import logging
import warnings
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import django_stubs_ext
from corsheaders.defaults import default_headers

from config import validators
from config.env import ROOT, Reader, postgres, read_dotenv
from jointoit.api.observability import logs

django_stubs_ext.monkeypatch()  # lets Django's generic classes be subscripted at run time: ModelAdmin[Event]

read_dotenv()
env = Reader()
DEBUG = env.bool("DEBUG", False)


def development(value: Any) -> dict[str, Any]:
    """A default that holds on a laptop only; elsewhere the variable is required."""
    return {"default": value} if DEBUG else {}


# ── What the environment says ─────────────────────────────────────────────────────────────────────────────────────────
good = validators.at_least if DEBUG else validators.secret
SECRET_KEY = env.str("SECRET_KEY", **development("development-" + "only" * 12), validate=good(50))
# They verify what was signed before the key was changed, and never sign.
SECRET_KEY_FALLBACKS: list[str] = env.list("OLD_SECRET_KEYS", [], validate=validators.each(good(50)))
JWT_SIGNING_KEY = env.str("JWT_SIGNING_KEY", **development("development-" + "sign" * 12), validate=good(32))
# They verify and never sign; keep one for the life of a refresh token.
JWT_OLD_SIGNING_KEYS: list[str] = env.list("JWT_OLD_SIGNING_KEYS", [], validate=validators.each(good(32)))
# The newest signs, all verify: keep one until the last event for which it signed is over.
TICKET_KEYS: list[str] = env.list(
    "TICKET_KEYS", **development(["d0" * 32]), validate=validators.ticket_keys(random=not DEBUG)
)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", **development(["127.0.0.1", "localhost", "[::1]"]), validate=validators.hosts)
CORS_ALLOWED_ORIGINS: list[str] = env.list("CORS_ALLOWED_ORIGINS", [], validate=validators.origins)
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", 0, validate=validators.not_negative)
SERVE: dict[str, Any] = {  # how `serve` and `work` run, see there; 0: as many as the machine or the container bears
    "host": env.str("HOST", "127.0.0.1", validate=validators.host),
    "port": env.int("PORT", 8000, validate=validators.port),
    "workers": env.int("WEB_WORKERS", 0, validate=validators.not_negative),
    "threads": env.int("WEB_THREADS", 4, validate=validators.positive),
}
WORKER_PROCESSES = env.int("WORKER_PROCESSES", 0, validate=validators.not_negative)
PUBLIC_URL = env.str("PUBLIC_URL", **development(f"http://127.0.0.1:{SERVE['port']}"), validate=validators.web_address)
DATABASE_URL = env.str("DATABASE_URL", **development(""), validate=validators.database_url)
DATABASE_PASSWORD = env.str("DATABASE_PASSWORD", "")
# Who owns the tables, for the release step alone, and that role's password; unset: the role of DATABASE_URL does.
DATABASE_OWNER_URL = env.str("DATABASE_OWNER_URL", "", validate=validators.database_url)
DATABASE_OWNER_PASSWORD = env.str("POSTGRES_PASSWORD", "")
DATABASE_REPLICA_URL = env.str("DATABASE_REPLICA_URL", "", validate=validators.database_url)
DATABASE_POOL = env.int("DATABASE_POOL", 0, validate=validators.not_negative)
DATABASE_POOLER = env.bool("DATABASE_POOLER", False)
REDIS_URL = env.str("REDIS_URL", **development(""), validate=validators.redis_url)
EMAIL_HOST = env.str("EMAIL_HOST", **development("127.0.0.1"), validate=validators.host)
EMAIL_PORT = env.int("EMAIL_PORT", 1025 if DEBUG else 587, validate=validators.port)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", not DEBUG)
DEFAULT_FROM_EMAIL = env.str(
    "DEFAULT_FROM_EMAIL", **development("Jointoit <events@jointoit.example>"), validate=validators.email
)
inbox_port = env.int("INBOX_PORT", 1080, validate=validators.port)
INBOX_URL = f"http://127.0.0.1:{inbox_port}/" if DEBUG else ""  # where the front page leads
MAIL_RATE = env.str("MAIL_RATE", "off", validate=validators.mail_rate)
JOURNAL_DAYS = env.int("JOURNAL_DAYS", 400, validate=validators.not_negative)  # after the event is over
RETENTION_DAYS = env.str("RETENTION_DAYS", "off", validate=validators.days_or_off)  # likewise
LOGIN_DAYS = env.int("LOGIN_DAYS", 180, validate=validators.positive)
# Of one account, drafts included.
MAX_OPEN_EVENTS = env.int("MAX_OPEN_EVENTS", 500, validate=validators.positive)
REMINDER_HOURS = env.float("REMINDER_HOURS", 24.0, validate=validators.hours)  # before the start
# A test lives through a day without mail server in a minute.
MAIL_CLOCK_SPEED = env.float("MAIL_CLOCK_SPEED", 1.0, validate=validators.above_zero)
FRONTEND_URL = env.str("FRONTEND_URL", "", validate=validators.web_address)
PRIVACY_URL = env.str("PRIVACY_URL", "", validate=validators.web_address)
TERMS_URL = env.str("TERMS_URL", "", validate=validators.web_address)
IMPRINT_URL = env.str("IMPRINT_URL", "", validate=validators.web_address)
RATES = {
    "anon": env.str("RATE_ANON", "120/min", validate=validators.rate),
    "user": env.str("RATE_USER", "600/min", validate=validators.rate),
    "login": env.str("RATE_LOGIN", "10/min", validate=validators.rate),  # failed ones to one account from one address
    # failed log-ins from one address: a hall is behind one
    "login_address": env.str("RATE_LOGIN_ADDRESS", "300/hour", validate=validators.rate),
    # failed log-ins to one account from addresses that are new to it
    "account": env.str("RATE_ACCOUNT", "100/hour", validate=validators.rate),
    "signup": env.str("RATE_SIGNUP", "200/hour", validate=validators.rate),
    "reset": env.str("RATE_RESET", "10/hour", validate=validators.rate),
    "register": env.str("RATE_REGISTER", "30/min", validate=validators.rate),
    "door": env.str(
        "RATE_DOOR", "1200/min", validate=validators.rate
    ),  # of one helper or door pass, in place of `user`
    "webhook_test": env.str("RATE_WEBHOOK_TEST", "10/min", validate=validators.rate),
    "report": env.str("RATE_REPORT", "10/hour", validate=validators.rate),
    # mails of one account to addresses that nobody has shown to be theirs
    "invite": env.str("RATE_INVITE", "50/day", validate=validators.rate),
}
# Networks, comma-separated, that webhooks may lead into, by http as well.
WEBHOOK_TRUSTED_NETWORKS: list[Any] = env.list(
    "WEBHOOK_TRUSTED_NETWORKS", [], validate=validators.networks(loopback=DEBUG)
)
WEBHOOK_THREADS = env.int("WEBHOOK_THREADS", 32, validate=validators.positive)
LOG_LEVEL = env.str("LOG_LEVEL", "INFO", validate=validators.log_level)
METRICS_TOKEN = env.str("METRICS_TOKEN", "", validate=validators.at_least(16))
METRICS_PORT = env.int("METRICS_PORT", 0, validate=validators.port_or_none)
TRACES = env.str("OTEL_EXPORTER_OTLP_ENDPOINT", "", validate=validators.web_address)
HEARTBEAT = env.str("HEARTBEAT", "", validate=validators.file_to_mark)
if SECRET_KEY == JWT_SIGNING_KEY and SECRET_KEY and not DEBUG:
    env.refuse("JWT_SIGNING_KEY", "Must be another key than SECRET_KEY: one that leaks is not to open all doors.")
for name, key in {"SECRET_KEY": SECRET_KEY, "JWT_SIGNING_KEY": JWT_SIGNING_KEY}.items():
    if key and validators.is_published(key) and not validators.is_local(PUBLIC_URL or ""):
        env.refuse(name, "Is the published one of compose.yaml, which serves on this machine alone: see PUBLIC_URL.")
if METRICS_PORT and not METRICS_TOKEN:
    env.refuse("METRICS_PORT", "Needs METRICS_TOKEN: nobody else is let in there.")
env.finish()
WEB_PLACES = 64 * SERVE["threads"]  # requests of a web process that are read, answered or wait; more are left outside
WEBHOOK_TRUSTED_NETWORKS = [ip_network(text) for text in WEBHOOK_TRUSTED_NETWORKS]
PUBLIC_URL = PUBLIC_URL.rstrip("/")
FRONTEND_URL = FRONTEND_URL.rstrip("/")
LOG_LEVEL = LOG_LEVEL.upper()

if not DEBUG:
    logging.captureWarnings(True)  # a line like all others

# ── Django ────────────────────────────────────────────────────────────────────────────────────────────────────────────
INSTALLED_APPS = [
    "jointoit.process",
    "jointoit.api",
    "jointoit.journal",
    "jointoit.mail",
    "jointoit.accounts",
    "jointoit.events",
    "jointoit.checkin",
    "jointoit.webhooks",
    "jointoit.organizing",
    "jointoit.pages",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "corsheaders",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
]
# What every request passes. Order: who counts first, then what every answer needs (request id, problem for a failure).
API_MIDDLEWARE = [
    *(["jointoit.api.observability.tracing.TracingMiddleware"] if TRACES else []),
    "jointoit.api.observability.metrics.MetricsMiddleware",
    "jointoit.api.http.middleware.RequestMiddleware",
    *(["corsheaders.middleware.CorsMiddleware"] if CORS_ALLOWED_ORIGINS else []),
    "jointoit.api.http.middleware.RequestLimitsMiddleware",  # behind those that add headers, for its refusals
]
# What pages need besides: the paths of PAGE_PATHS pass all of these (config/wsgi.py), the API knows callers by tokens.
MIDDLEWARE = [
    *API_MIDDLEWARE,
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "jointoit.accounts.admin_sessions.AdminSessionMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
PAGE_PATHS = (
    *("/admin/", "/static/"),
    *("/e/", "/login/", "/signup/", "/logout/", "/password-reset/", "/me/", "/r/", "/t/", "/manage/", "/door/"),
    *("/sitemap.xml", "/robots.txt"),
)
LOGIN_URL = "page-login"
CSRF_FAILURE_VIEW = "jointoit.pages.base.csrf_failure"
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False  # jointoit.api.http.middleware answers 308, which keeps method and body
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "jointoit.pages.base.site",
            ]
        },
    }
]
# lock_timeout turns a held event row into 503 `busy`; statement_timeout keeps one bad query from holding a connection.
SESSION = {
    "lock_timeout": "2s",
    "statement_timeout": "30s",
    # What `search` takes for a typo: two letters swapped in a word of seven leave 4 of 12 trigrams in common.
    "pg_trgm.word_similarity_threshold": "0.3",
    # Room for a bitmap of all events: with less, PostgreSQL remembers pages only and looks at every row of them again.
    "work_mem": "16MB",
}
# A server that is gone without a word, its packets dropped, is noticed within 10 s: what is on its way is given up 6 s
# after it was sent, and a connection that waits is asked for a sign of life after 3 s and every 2 s.
NETWORK = {
    "connect_timeout": 5, "tcp_user_timeout": 6000,  # seconds; milliseconds
    "keepalives": 1, "keepalives_idle": 3, "keepalives_interval": 2, "keepalives_count": 2,
}  # fmt: skip


def database(url: str, password: str = "") -> dict[str, Any]:
    """How the threads of a process connect; what the URL says wins."""
    found = postgres(url, password=password) | {"ENGINE": "jointoit.api.postgresql", "CONN_HEALTH_CHECKS": True}
    found["OPTIONS"] = NETWORK | found["OPTIONS"]
    if DATABASE_POOLER:  # takes no options, and what a cursor leaves after its transaction is somebody else's session
        found["DISABLE_SERVER_SIDE_CURSORS"] = True
    else:
        options = " ".join(f"-c {name}={value}" for name, value in SESSION.items())
        found["OPTIONS"].setdefault("options", options)
    if DATABASE_POOL:
        # Tried for longer, the pauses between two attempts grow, and a database that is back is noticed later.
        patience = {"timeout": 5, "reconnect_timeout": 2}
        found["OPTIONS"]["pool"] = {"min_size": 1, "max_size": DATABASE_POOL, **patience}
    else:
        found["CONN_MAX_AGE"] = 600  # seconds
    return found


DATABASES = {"default": database(DATABASE_URL, DATABASE_PASSWORD)}
SERVICE_ROLE = (DATABASES["default"]["USER"], DATABASES["default"]["PASSWORD"])  # to whom `release` gives its rights
if DATABASE_REPLICA_URL:
    DATABASES["replica"] = database(DATABASE_REPLICA_URL, DATABASE_PASSWORD) | {"TEST": {"MIRROR": "default"}}
if DATABASE_OWNER_URL:
    DATABASES["default"] = database(DATABASE_OWNER_URL, DATABASE_OWNER_PASSWORD)

LONGEST_LOGIN = timedelta(days=LOGIN_DAYS)  # then one logs in again, however often refresh tokens were exchanged
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
] + [{"NAME": "jointoit.accounts.password_words.KnownWordsValidator"}]
PASSWORD_HASHERS = [
    "jointoit.accounts.hashing.Argon2PasswordHasher",
    "jointoit.accounts.hashing.PBKDF2PasswordHasher",
]

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = ROOT / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "jointoit.api.http.static_files.Storage"
    },
}
WHITENOISE_AUTOREFRESH = DEBUG
# Nobody needs collectstatic; the image runs it, so that files are compressed and kept by browsers for ever.
WHITENOISE_USE_FINDERS = DEBUG or not (STATIC_ROOT / "staticfiles.json").exists()
if WHITENOISE_USE_FINDERS:
    warnings.filterwarnings("ignore", "No directory at", UserWarning)  # whitenoise looks for what is not needed then
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024  # forms of the admin; RequestLimitsMiddleware holds the API to less
READABLE_LOGS = DEBUG and logs.is_terminal()
LOGGING = logs.configure(readable=READABLE_LOGS, level=LOG_LEVEL)

# ── Security ──────────────────────────────────────────────────────────────────────────────────────────────────────────
HTTPS = PUBLIC_URL.startswith("https://")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_SSL_REDIRECT = False  # the proxy redirects; health probes speak plain HTTP
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
# Under https no other host of the domain can set them (RFC 6265bis section 4.1.3.2).
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME, BROWSER_COOKIE_NAME = (
    f"__Host-{name}" if HTTPS else name for name in ("sessionid", "csrftoken", "browser")
)
SESSION_COOKIE_AGE = 14 * 24 * 3600  # seconds; those of the admin end sooner: jointoit/accounts/admin_sessions.py
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
X_FRAME_OPTIONS = "DENY"
CORS_ALLOW_HEADERS = [*default_headers, "idempotency-key", "if-match", "if-none-match", "x-request-id"]
CORS_EXPOSE_HEADERS = ["etag", "idempotent-replayed", "location", "ratelimit", "ratelimit-policy", "retry-after"]
CORS_EXPOSE_HEADERS += ["www-authenticate", "x-request-id"]
# What a browser may do with an answer, unless the view says otherwise (jointoit.api.http.middleware.add_headers).
RESPONSE_HEADERS = {
    # Swagger UI, ReDoc and the admin write style attributes; ReDoc searches in a worker.
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": SECURE_REFERRER_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": X_FRAME_OPTIONS,
} | ({"Strict-Transport-Security": f"max-age={SECURE_HSTS_SECONDS}; includeSubDomains; preload"} if HTTPS else {})
SILENCED_SYSTEM_CHECKS = [
    "security.W008",  # SECURE_SSL_REDIRECT, see above
    "auth.E003",  # the username is unique in any case, by a constraint that this check does not understand
]

# ── The API ───────────────────────────────────────────────────────────────────────────────────────────────────────────
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["jointoit.accounts.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["jointoit.api.http.parsing.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["jointoit.api.http.rendering.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "jointoit.api.http.rendering.Negotiation",
    "DEFAULT_THROTTLE_CLASSES": ["jointoit.api.throttling.throttle.RateThrottle"],
    "DEFAULT_PAGINATION_CLASS": "jointoit.api.lists.pagination.KeysetPagination",
    "DEFAULT_SCHEMA_CLASS": "jointoit.api.openapi.schema.AutoSchema",
    "EXCEPTION_HANDLER": "jointoit.api.problems.handlers.handle",
    "DEFAULT_VERSIONING_CLASS": None,
    "URL_FORMAT_OVERRIDE": None,
    "DATETIME_INPUT_FORMATS": ["iso-8601"],
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=30),
    "ALGORITHM": "HS256",
    "SIGNING_KEY": JWT_SIGNING_KEY,
    "ISSUER": "jointoit",
    "AUDIENCE": "jointoit-api",
    "AUTH_HEADER_TYPES": ("Bearer",),
    "UPDATE_LAST_LOGIN": False,
}
OPENAPI_DESCRIPTION = """
Register for events without ever overselling a seat, and hear of every change by mail.

**Start:** create an account at `POST /users/register/`, get a token at `POST /api/token/`, and send it as
`Authorization: Bearer <access>`. Reading events needs no account.

- **Errors** are `application/problem+json` (RFC 9457) with a stable `code`; `type` leads to a page that explains it.
- **Lists** come in pages: follow `next` until it is null.
- **Times** go in with an offset or `Z` and come out in UTC.
- **Repeats** are safe with an `Idempotency-Key`, **updates** with `If-Match` and the `ETag` of what you read.
- **Unknown** members and parameters are ignored; with `Prefer: handling=strict` they are 400, with the nearest name.
- **X-Request-ID** is on every answer; send your own UUID to find your request in our logs.
""".strip()
SPECTACULAR_SETTINGS = {
    "TITLE": "Event Management API",
    "DESCRIPTION": OPENAPI_DESCRIPTION,
    "VERSION": "1.0.0",
    "SERVERS": [{"url": "/", "description": "The service that gives this document."}],
    "LICENSE": {"name": "MIT", "identifier": "MIT"},
    "TAGS": [
        {"name": "accounts", "description": "Who you are: sign-up, tokens, profile, password."},
        {"name": "events", "description": "What happens, when and where."},
        {"name": "registrations", "description": "Who comes: seats, approval and the waiting list."},
        {"name": "check-in", "description": "Tickets, and the door where they are scanned."},
        {"name": "programs", "description": "For programs: a feed of what happened, and webhooks."},
        {"name": "service", "description": "The service itself: its health, its pages, its problems."},
    ],
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "filter": True, "validatorUrl": None, "docExpansion": "list"},
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_SUFFIX": "",
    "SCHEMA_PATH_PREFIX": "/",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "jointoit.webhooks.documentation.webhooks_section",
        "jointoit.api.openapi.clients.for_clients",
    ],
    "ENUM_NAME_OVERRIDES": {
        "EventStatus": "jointoit.events.models.Event.Status",
        "MailState": "jointoit.mail.models.OutboxMail.State",
        "DeliveryState": "jointoit.webhooks.models.Message.State",
        "HelperRole": "jointoit.events.models.Membership.Role",
        "OfferedRole": "jointoit.events.models.Invitation.Role",
        "RegistrationStatus": "jointoit.events.models.Registration.Status",
        "QuestionType": "jointoit.events.models.Question.Type",
        "ScanResult": "jointoit.checkin.models.Scan.Result",
        "ScanRefusal": "jointoit.checkin.models.Scan.Reason",
        "FactType": "jointoit.journal.writer.TYPES.items",
        "KeyScope": "jointoit.accounts.keys.SCOPES.items",
        "TeamScope": "jointoit.events.team_serializers.SCOPES",
        "AnnouncementGroup": "jointoit.organizing.announcements.GROUPS",
        "ScanError": ["scan_id_reused"],
        "TicketKeyType": ["OKP"],
        "TicketKeyCurve": ["Ed25519"],
        "TicketKeyUse": ["sig"],
        "TicketKeyAlgorithm": ["EdDSA"],
    },
}

# ── What is kept ──────────────────────────────────────────────────────────────────────────────────────────────────────
RETENTION = timedelta(days=int(RETENTION_DAYS)) if RETENTION_DAYS.isdigit() else None  # for ever

# ── Mail and tasks ────────────────────────────────────────────────────────────────────────────────────────────────────
EMAIL_BACKEND = "jointoit.mail.smtp.Backend"
EMAIL_TIMEOUT = max(1.0, 20 / MAIL_CLOCK_SPEED)
REMINDER_BEFORE = timedelta(hours=REMINDER_HOURS)
CELERY = {
    "broker_url": REDIS_URL,
    "task_ignore_result": True,
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "task_time_limit": 110,  # a turn, and the slowest mail on two connections; below the lease
    "worker_prefetch_multiplier": 1,
    "worker_direct": bool(HEARTBEAT),
    "worker_hijack_root_logger": False,  # its lines are objects like all others
    "broker_connection_retry_on_startup": True,
    "broker_transport_options": {
        "visibility_timeout": 180,
        "unacked_restore_throttle": 1,
        "socket_connect_timeout": 5,
        "socket_timeout": 10,  # a frozen Redis would hold a worker for ever; longer than its own wait for work
        "socket_keepalive": True,
    },
    "task_publish_retry": False,
}
