"""What a process refuses to start with, and what it warns about."""

import gc
import sys
from functools import cache
from importlib.metadata import version

import structlog

from medici.kernel.errors import Kind, MediciError
from medici.kernel.telemetry.logs import configure_logs
from medici.kernel.telemetry.sentry import start_sentry
from medici.settings import Settings

log = structlog.get_logger("medici.startup")
COLLECT_AFTER = (10_000, 20, 20)  # new objects, young collections, middle collections


class UnsafeSettings(MediciError):
    """The settings would put customers at risk; the message names each one."""

    kind = Kind.INVALID
    code = "unsafe_settings"


def start_telemetry(settings: Settings) -> None:
    """Begin to log, and to report faults where somebody wants to know them."""
    for_people = settings.medici_log_format == "console" or (
        settings.medici_log_format == "auto" and sys.stderr.isatty()
    )
    configure_logs(settings.medici_log_level, json=not for_people)
    if settings.sentry_dsn is not None:
        start_sentry(
            settings.sentry_dsn.get_secret_value(),
            environment=settings.app_env,
            release=version("medici"),
        )


@cache
def relieve_collector() -> None:
    """Spare the garbage collector what a process has loaded by the time that it is ready.

    Every request and render leaves objects, and each full collection would walk through all
    modules, classes and statements again: about an eighth of the time of an order.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def check_settings(settings: Settings) -> None:
    """Refuse what is unsafe in production and say what is merely open.

    Raises:
        UnsafeSettings: with one line for each setting that must change.
    """
    problems = list(_problems(settings)) if settings.is_production else []
    if problems:
        raise UnsafeSettings("this deployment will not start:\n  " + "\n  ".join(problems))
    for warning in _warnings(settings):
        log.warning("startup.open", detail=warning)


def _problems(settings: Settings) -> list[str]:
    problems = []
    if settings.encryption_keys is None:
        problems.append("ENCRYPTION_KEYS is not set; secrets at rest need a key that you keep")
    if settings.medici_debug:
        problems.append("MEDICI_DEBUG is on; it shows internals to callers")
    return problems


def _warnings(settings: Settings) -> list[str]:
    warnings = []
    if settings.is_production and settings.allow_open_admin_mode:
        warnings.append("ALLOW_OPEN_ADMIN_MODE is on: anybody can use the admin routes")
    if settings.is_production and settings.allow_dev_login:
        warnings.append("ALLOW_DEV_LOGIN is on: anybody can sign in as anybody")
    if settings.medici_outbound_allow:
        allowed = ", ".join(settings.medici_outbound_allow)
        warnings.append(f"MEDICI_OUTBOUND_ALLOW lets requests reach private endpoints: {allowed}")
    if settings.medici_outbound_allow_users:
        allowed = ", ".join(settings.medici_outbound_allow_users)
        warnings.append(
            f"MEDICI_OUTBOUND_ALLOW_USERS lets customers reach private endpoints: {allowed}"
        )
    return warnings
