"""Serving a stand-in for a vendor until it is told to stop."""

import asyncio
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

import typer
from aiohttp import web

from medici.cli.words import Vendor
from medici.fakes.serving import serving

PORTS = {
    Vendor.FAL: 9101,
    Vendor.OPENAI: 9102,
    Vendor.REPLICATE: 9103,
    Vendor.STRIPE: 9104,
    Vendor.APPLE: 9105,
    Vendor.GOOGLE_PLAY: 9106,
}
# What points Medici at a stand-in. ``{base}`` becomes its address.
VARIABLES: Mapping[Vendor, Mapping[str, str]] = {
    Vendor.FAL: {
        "FAL_QUEUE_BASE": "{base}",
        "FAL_REST_BASE": "{base}",
        "FAL_JWKS_URL": "{base}/.well-known/jwks.json",
        "FAL_API_KEY": "fake",
    },
    Vendor.OPENAI: {"OPENAI_API_BASE": "{base}/v1", "OPENAI_API_KEY": "fake"},
    Vendor.REPLICATE: {"REPLICATE_API_BASE": "{base}/v1", "REPLICATE_API_TOKEN": "fake"},
    Vendor.STRIPE: {
        "STRIPE_API_BASE": "{base}",
        "STRIPE_SECRET_KEY": "sk_test_fake",
        "STRIPE_WEBHOOK_SECRET": "whsec_fake",
        "SANDBOX_PURCHASES": "allow",
    },
    Vendor.APPLE: {
        "APPLE_API_BASE": "{base}",
        "APPLE_API_ISSUER_ID": "57246542-96fe-1a63-e053-0824d011072a",
        "APPLE_API_KEY_ID": "FAKEKEY123",
        "APPLE_BUNDLE_IDS": "com.example.medici",
        "APPLE_APP_APPLE_ID": "1234567890",
    },
    Vendor.GOOGLE_PLAY: {
        "GOOGLE_PLAY_API_BASE": "{base}",
        "GOOGLE_PLAY_PACKAGE_NAMES": "com.example.medici",
        "GOOGLE_OIDC_CERTS_URL": "{base}/oauth2/v3/certs",
        "GOOGLE_PUBSUB_SERVICE_ACCOUNT": "pusher@fake.iam.gserviceaccount.com",
    },
}


class Builder(Protocol):
    def __call__(self, *, seed: int) -> web.Application: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where a stand-in listens, and the seed of its ids; without a port it takes its usual one."""

    host: str
    port: int | None
    seed: int


async def serve_fake(vendor: Vendor, stage: Stage) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises:
        OSError: nobody can listen there.
    """
    stopped = asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signum, stopped.set)
    port = PORTS[vendor] if stage.port is None else stage.port
    async with serving(app_of(vendor, seed=stage.seed), host=stage.host, port=port) as base:
        typer.echo(f"# {vendor} at {base}; Ctrl-C ends it")
        for name, value in environment(vendor, base).items():
            typer.echo(f"{name}={value}")
        await stopped.wait()


def app_of(vendor: Vendor, *, seed: int) -> web.Application:
    """Build a vendor's stand-in; only its own code is loaded."""
    build: Builder = import_module(f"medici.fakes.{vendor.replace('-', '_')}.app").make_app
    return build(seed=seed)


def environment(vendor: Vendor, base: str) -> dict[str, str]:
    """Return the variables that point Medici at a stand-in that listens at ``base``."""
    pointing = {name: value.format(base=base) for name, value in VARIABLES[vendor].items()}
    return pointing | {"MEDICI_OUTBOUND_ALLOW": base.removeprefix("http://")}
