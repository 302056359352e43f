"""Every setting, read once from the environment (and a file ``.env``) and then passed on.

A field is named as its variable, in lower case. An empty variable counts as unset.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Door = Literal["studio", "shopify", "compass", "storefront", "console"]
DOORS: tuple[Door, ...] = ("studio", "shopify", "compass", "storefront", "console")
PRODUCTION = frozenset({"prod", "production"})


class OidcIssuer(BaseModel):
    """An issuer whose ID tokens we exchange for our own."""

    issuer: str
    audience: str
    jwks_uri: str | None = None


def _listed(value: Any) -> Any:
    """Split a comma-separated variable, cutting spaces and empty parts."""
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


def listed_secrets(secret: SecretStr | None) -> tuple[str, ...]:
    """Split a setting that holds one secret, or several while one replaces another."""
    return tuple(_listed(secret.get_secret_value())) if secret else ()


class Settings(BaseSettings):
    """What one deployment chooses. `.env.example` lists the same variables for people."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", populate_by_name=True, frozen=True
    )

    # The process
    app_env: str = Field("development", validation_alias=AliasChoices("APP_ENV", "ENVIRONMENT"))
    database_url: str = "sqlite:///./app.db"
    medici_data_dir: Path = Path("data")
    medici_public_url: str | None = None
    medici_doors: Annotated[tuple[Door, ...], NoDecode] = DOORS
    medici_auto_migrate: bool = True
    medici_database_pool_size: int = Field(10, ge=1, le=200)
    medici_trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ()
    medici_outbound_allow: Annotated[tuple[str, ...], NoDecode] = ()
    medici_outbound_allow_users: Annotated[tuple[str, ...], NoDecode] = ()
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = ("*",)
    medici_log_level: Literal["debug", "info", "warning", "error"] = "info"
    medici_log_format: Literal["auto", "json", "console"] = "auto"
    medici_debug: bool = False
    sentry_dsn: SecretStr | None = None

    # Background work
    medici_runner: Literal["embedded", "external", "celery"] = "embedded"
    celery_broker_url: str = Field(
        "redis://localhost:6379/0", validation_alias=AliasChoices("CELERY_BROKER_URL", "REDIS_URL")
    )
    medici_worker_concurrency: int = Field(64, ge=1, le=1024)
    medici_worker_poll_seconds: float = Field(1.0, ge=0.05, le=3600)
    medici_job_lease_seconds: float = Field(15.0, ge=0.3, le=600)
    medici_image_processes: int = Field(1, ge=1, le=64)

    # Who may do what
    admin_api_token: SecretStr | None = None
    admin_user_ids: Annotated[tuple[str, ...], NoDecode] = ()
    allow_open_admin_mode: bool | None = None
    allow_dev_login: bool = False
    oidc_issuers: tuple[OidcIssuer, ...] = ()
    medici_try_it: bool | None = None

    # Secrets at rest
    encryption_keys: SecretStr | None = Field(
        None, validation_alias=AliasChoices("ENCRYPTION_KEYS", "ENCRYPTION_KEY")
    )

    # Image providers
    fal_api_key: SecretStr | None = Field(
        None, validation_alias=AliasChoices("FAL_API_KEY", "FAL_KEY")
    )
    fal_queue_base: str = "https://queue.fal.run"
    fal_rest_base: str = "https://rest.fal.ai"
    fal_jwks_url: str = "https://rest.alpha.fal.ai/.well-known/jwks.json"
    fal_timeout_seconds: float = Field(45.0, gt=0, le=600)
    fal_max_in_flight: int | None = Field(None, ge=1, le=100_000)
    openai_api_key: SecretStr | None = None
    openai_api_base: str = "https://api.openai.com/v1"
    openai_organization: str | None = None
    openai_project: str | None = None
    openai_stub_if_missing_key: bool = True
    replicate_api_token: SecretStr | None = None
    replicate_api_base: str = "https://api.replicate.com/v1"
    replicate_webhook_secret: SecretStr | None = None

    # Storage of pictures
    storage_bucket: str | None = None
    storage_region: str = "us-east-1"
    storage_endpoint_url: str | None = None
    storage_access_key_id: SecretStr | None = None
    storage_secret_access_key: SecretStr | None = None
    storage_public_base_url: str | None = None

    # Stores that sell for us
    storekit_webhook_secret: SecretStr | None = None
    google_play_webhook_secret: SecretStr | None = None
    web_billing_webhook_secret: SecretStr | None = None
    web_billing_checkout_base_url: str | None = None
    webhook_relay_enabled: bool = True
    sandbox_purchases: Literal["deny", "allowlist", "allow"] = "allowlist"
    sandbox_user_ids: Annotated[tuple[str, ...], NoDecode] = ()
    purchase_transfer_policy: Literal["keep", "transfer", "transfer_if_inactive"] | None = None
    clawback_policy: Literal["floor", "recover"] = "floor"
    apple_bundle_ids: Annotated[tuple[str, ...], NoDecode] = ()
    apple_app_apple_id: int | None = None
    apple_root_certs_dir: Path | None = None
    apple_environments: Annotated[tuple[str, ...], NoDecode] = ("Production",)
    apple_online_checks: bool = False
    apple_notification_max_age_days: int = Field(10, ge=1, le=365)
    apple_api_base: str | None = None
    apple_api_issuer_id: str | None = None
    apple_api_key_id: str | None = None
    apple_api_private_key: SecretStr | None = None
    app_store_consumption_consent: bool = False
    google_play_package_names: Annotated[tuple[str, ...], NoDecode] = ()
    google_play_api_base: str = "https://androidpublisher.googleapis.com"
    google_play_service_account: SecretStr | None = None
    google_pubsub_audience: str | None = None
    google_pubsub_service_account: str | None = None
    google_oidc_certs_url: str = "https://www.googleapis.com/oauth2/v3/certs"
    stripe_secret_key: SecretStr | None = Field(
        None, validation_alias=AliasChoices("STRIPE_SECRET_KEY", "STRIPE_API_KEY")
    )
    stripe_api_base: str = "https://api.stripe.com"
    stripe_webhook_secret: SecretStr | None = None
    stripe_past_due_grace_days: int = Field(7, ge=0, le=60)

    # Experiments
    experiment_automation_notify_webhook_url: str | None = None

    _split = field_validator(
        "medici_doors",
        "medici_trusted_proxies",
        "medici_outbound_allow",
        "medici_outbound_allow_users",
        "allowed_origins",
        "admin_user_ids",
        "sandbox_user_ids",
        "apple_bundle_ids",
        "apple_environments",
        "google_play_package_names",
        mode="before",
    )(_listed)

    @property
    def is_production(self) -> bool:
        """Tell whether this deployment serves real customers."""
        return self.app_env.strip().lower() in PRODUCTION

    @property
    def dev_login_allowed(self) -> bool:
        """Tell whether anybody may sign in as anybody, for development."""
        return self.allow_dev_login or not self.is_production

    @property
    def try_it_open(self) -> bool:
        """Tell whether the try-it page is served."""
        return not self.is_production if self.medici_try_it is None else self.medici_try_it
