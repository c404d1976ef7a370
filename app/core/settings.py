"""What the processes read from their environment, and when they refuse to start."""

import os
import socket
from functools import cached_property
from typing import Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from app.core.client_address import Network, parse_networks
from app.core.keys import parse_keys

Role = Literal["web", "worker", "migrate"]

_PREFIX = "TIDEGATE_"
_DATABASE_SCHEMES = ("postgresql+asyncpg://", "sqlite+aiosqlite://")
_REDIS_SCHEMES = ("redis://", "rediss://", "unix://")
_HTTP_BASE = r"^https?://[^\s/?#]+(/[^\s?#]*)?$"
_RATE = r"^[1-9][0-9]{0,8}/([1-9][0-9]{0,4})?(second|minute|hour)$"
_NEEDED: dict[Role, list[str]] = {
    "web": ["database_url", "redis_url", "auth_keys"],
    "worker": ["database_url", "redis_url"],
    "migrate": ["database_url"],
}
"""What each process cannot do without in production."""


class SettingsError(Exception):
    """The environment does not allow the process to start; the text is one line and holds no secret."""


class Settings(BaseModel):
    """One process's settings. Every variable carries the prefix `TIDEGATE_`; unknown ones are ignored,
    because Kubernetes itself injects variables that begin with a Service's name."""

    model_config = ConfigDict(frozen=True, extra="ignore", validate_default=True)

    environment: Literal["development", "production"] = "development"
    database_url: SecretStr = Field(
        default=SecretStr("sqlite+aiosqlite:///tidegate.db"),
        description="SQLAlchemy URL; production needs it set, and set to PostgreSQL",
    )
    redis_url: SecretStr | None = Field(
        default=None,
        description="job queue, shared cache and shared rate limits; workers and production need it set, "
        "a developer's web process without it keeps to itself",
    )
    redis_timeout_s: float = Field(
        default=1.0,
        gt=0,
        le=60,
        description="wait for Redis after which the web process goes on without it; a pod short of CPU is "
        "late to read an answer that is there, so this is longer than Redis ever takes",
    )
    auth_keys: SecretStr | None = Field(
        default=None,
        description="keys that sign tokens, as `id:secret` with commas between; the first signs, all are "
        "accepted; production needs it set, a developer's process draws one",
    )
    auth_token_ttl_s: int = Field(default=3600, ge=60, le=86_400, description="life of an access token")
    demo_password: SecretStr | None = Field(
        default=None,
        min_length=12,
        max_length=128,
        description="read by migrations alone: the password of the seeded accounts; unset, none can log in",
    )
    fraud_weight: float = Field(
        default=0.02, gt=0, le=10, description="cost of one fraud check; 1.0 is about 1.8 s of one core"
    )
    fraud_queue_limit: int = Field(
        default=128, ge=1, le=10_000, description="fraud checks waiting in one process before it sheds"
    )
    host: str = Field(default="127.0.0.1", description="address to listen on; the image sets 0.0.0.0")
    port: int = Field(default=8000, ge=0, le=65535, description="0 takes any free port")
    server: Literal["uvicorn", "gunicorn", "hypercorn"] = Field(
        default="uvicorn", description="what carries the web process"
    )
    loop: Literal["uvloop", "asyncio"] = Field(default="uvloop", description="the event loop")
    server_workers: int = Field(
        default=1, ge=1, le=64, description="processes behind one port; more than one needs gunicorn"
    )
    worker_metrics_port: int = Field(default=9191, ge=0, le=65535)
    worker_threads: int = Field(default=2, ge=1, le=16, description="orders one worker handles at a time")
    db_pool_size: int = Field(
        default=5, ge=1, le=50, description="connections for requests; readiness holds one more"
    )
    db_pool_wait_s: float = Field(
        default=10,
        gt=0,
        le=60,
        description="wait for a free connection; below the gateway's own limit for a request, so that the "
        "caller hears why, and long enough for a burst that the next pods will take",
    )
    drain_s: float | None = Field(
        default=None,
        ge=0,
        le=300,
        description="time to keep serving after SIGTERM while callers turn away; "
        "by default 3 s, or a quarter of graceful_timeout_s where that is less",
    )
    graceful_timeout_s: int = Field(
        default=20, ge=1, le=600, description="longest time from SIGTERM to exit, drain_s included"
    )
    keep_alive_s: int = Field(
        default=75, ge=1, le=3600, description="idle connections live so long; longer than the gateway's own"
    )
    body_timeout_s: float = Field(default=20, gt=0, le=600, description="longest time for a request's body")
    max_body_bytes: int = Field(default=65_536, ge=1024, le=16_777_216)
    cache: bool = Field(default=True, description="false makes every read a query, for measurements")
    cache_ttl_s: float = Field(
        default=5, gt=0, le=3600, description="life of what is kept in a process, which bounds its age"
    )
    cache_shared_ttl_s: float = Field(default=60, gt=0, le=3000, description="life of what is kept in Redis")
    cache_stale_s: int = Field(
        default=30, ge=0, le=3600, description="how long an expired answer is given while it is refreshed"
    )
    cache_client_s: int = Field(default=5, ge=0, le=86_400, description="life of a caller's own copy")
    cache_cdn_s: int = Field(default=30, ge=0, le=86_400, description="life of a CDN's copy")
    rate_limits: bool = Field(default=True, description="false limits nobody, for measurements")
    limit_reads: str = Field(
        default="12000/minute", pattern=_RATE, description="reads of one account, or of one address"
    )
    limit_writes: str = Field(default="1200/minute", pattern=_RATE, description="writes, likewise")
    limit_logins: str = Field(default="30/minute", pattern=_RATE, description="logins to one account")
    limit_operators: str = Field(
        default="60/minute", pattern=_RATE, description="operators' requests from one address"
    )
    limit_share: int = Field(
        default=4, ge=1, le=10_000, description="processes that share a budget while Redis is away"
    )
    trusted_proxies: str = Field(
        default="", description="networks (CIDR, commas between) whose X-Forwarded-For is believed"
    )
    operator_token: SecretStr | None = Field(
        default=None,
        min_length=32,
        max_length=256,
        description="opens what operators do (prices, profiles); unset, it is closed to everyone",
    )
    queue_age_limit_s: float = Field(
        default=600, gt=0, description="age of the oldest undecided order at which v2 stops accepting"
    )
    outbox_poll_s: float = Field(default=0.2, gt=0, le=60, description="pause between looks at the outbox")
    redeliver_after_s: float = Field(
        default=30, gt=0, le=3600, description="first wait before an undecided order is published again"
    )
    otlp_endpoint: str | None = Field(
        default=None,
        pattern=_HTTP_BASE,
        description="base URL to which traces are sent by OTLP/HTTP, such as http://collector:4318; unset, "
        "there are none. OTEL_EXPORTER_OTLP_ENDPOINT alone turns nothing on: clusters inject it everywhere",
    )
    publish_queue: bool = Field(
        default=False, description="whether web pods publish the queue's figures too: workers may be none"
    )
    migrate_wait_s: float = Field(default=60, ge=0, le=3600, description="wait for the database to answer")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "console"] = "json"
    pod_name: str = Field(
        default_factory=socket.gethostname, min_length=1, max_length=253, pattern=r"^[A-Za-z0-9._-]+$"
    )
    node_name: str = ""

    @field_validator("database_url")
    @classmethod
    def _database_scheme(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith(_DATABASE_SCHEMES):
            raise ValueError(f"must begin with {' or '.join(_DATABASE_SCHEMES)}")
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis_scheme(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(_REDIS_SCHEMES):
            raise ValueError(f"must begin with {' or '.join(_REDIS_SCHEMES)}")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        parse_networks(value)
        return value

    @field_validator("auth_keys")
    @classmethod
    def _keys_usable(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parse_keys(value.get_secret_value())
        return value

    @model_validator(mode="after")
    def _times_fit(self) -> Self:
        if self.server_workers > 1 and self.server != "gunicorn":
            raise ValueError(f"{_PREFIX}SERVER_WORKERS above 1 needs {_PREFIX}SERVER to be gunicorn")
        if self.drain_for_s >= self.graceful_timeout_s:
            raise ValueError(
                f"{_PREFIX}DRAIN_S must be below {_PREFIX}GRACEFUL_TIMEOUT_S, or nothing is left for requests"
            )
        return self

    @cached_property
    def proxies(self) -> tuple[Network, ...]:
        """The networks whose word about addresses is believed."""
        return parse_networks(self.trusted_proxies)

    @property
    def drain_for_s(self) -> float:
        """How long the process keeps serving after SIGTERM."""
        return self.drain_s if self.drain_s is not None else min(3.0, self.graceful_timeout_s / 4)

    @property
    def uses_sqlite(self) -> bool:
        """Whether the database is one file, which a single process may write."""
        return self.database_url.get_secret_value().startswith("sqlite")


def load_settings(role: Role = "web", **overrides: object) -> Settings:
    """Read the environment now, once; nothing is read at import.

    Args:
        role: the process that starts; migrations need no Redis.
        overrides: values that win over the environment, by field name.

    Raises:
        SettingsError: a value is wrong, or production misses one.
    """
    try:
        settings = Settings.model_validate(_environment() | overrides)
    except ValidationError as error:
        raise SettingsError(_one_line(error)) from None
    if settings.environment == "production":
        _refuse_unsafe(settings, role)
    if role == "worker" and settings.redis_url is None:
        raise SettingsError(f"{_PREFIX}REDIS_URL must be set: it is where a worker's orders come from")
    return settings


def _environment() -> dict[str, object]:
    """The variables that are set, by field name. Their case does not matter; an empty one counts as unset.

    Every value is a scalar that pydantic reads as it stands. pydantic-settings would do the same, and be a
    thirtieth of the start: it also brings files, secret stores and command lines.
    """
    given = {name.lower(): value for name, value in os.environ.items() if value}
    names = {_PREFIX.lower() + field: field for field in Settings.model_fields}
    return {field: given[name] for name, field in names.items() if name in given}


def _refuse_unsafe(settings: Settings, role: Role) -> None:
    needed = _NEEDED[role]
    missing = [_PREFIX + name.upper() for name in needed if name not in settings.model_fields_set]
    if missing:
        names = " and ".join([", ".join(missing[:-1]), missing[-1]] if missing[1:] else missing)
        raise SettingsError(f"{names} must be set when {_PREFIX}ENVIRONMENT is production")
    if settings.uses_sqlite:
        # Every replica would write a file of its own and answer 404 for the others' orders.
        raise SettingsError(
            f"{_PREFIX}DATABASE_URL must be PostgreSQL when {_PREFIX}ENVIRONMENT is production"
        )


def _one_line(error: ValidationError) -> str:
    """Name each wrong variable and why. Values stay out: they may be passwords."""
    parts: list[str] = []
    for item in error.errors(include_url=False, include_input=False, include_context=False):
        name = _PREFIX + str(item["loc"][0]).upper() + ": " if item["loc"] else ""
        parts.append(name + item["msg"].removeprefix("Value error, "))
    return "; ".join(parts)
