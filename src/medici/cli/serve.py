"""Starting the server, once it is certain that it can serve."""

import asyncio
import signal
import socket
from types import FrameType

import typer
import uvicorn

from medici.cli.process import at_work
from medici.kernel.errors import Kind, MediciError
from medici.settings import Settings

GRACE_SECONDS = 10


class PortUnusable(MediciError):
    """Another process listens there, or we may not."""

    kind = Kind.CONFLICT
    code = "port_unusable"


def serve(*, host: str, port: int, workers: int) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        UnsafeSettings: the settings must change first.
        PortUnusable: nobody can listen there.
        DatabaseUnavailable: the database cannot be reached.
    """
    settings = Settings()
    check_port(host, port)
    # Done here once, a failure is told in words; in the server it would be a traceback.
    asyncio.run(_rehearse(settings))
    _tell_addresses(settings, host, port)
    signal.signal(signal.SIGTERM, _stopped)
    uvicorn.run(
        "medici.app:create_app",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        proxy_headers=False,  # MEDICI_TRUSTED_PROXIES decides whom to believe
        server_header=False,
        access_log=False,  # the application writes its own
        log_config=None,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def _stopped(_signum: int, _frame: FrameType | None) -> None:
    """End well: before the server listens, or once it has stopped and repeats the signal."""
    raise SystemExit(0)


def check_port(host: str, port: int) -> None:
    """Make sure that the address is free before anything is started.

    Raises:
        PortUnusable: with the system's reason.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = f"cannot listen on {host}:{port}: {error.strerror}"
            raise PortUnusable(reason) from error


async def _rehearse(settings: Settings) -> None:
    """Open everything once and bring the database up to date."""
    async with at_work(settings):
        pass


def _tell_addresses(settings: Settings, host: str, port: int) -> None:
    shown = f"[{host}]" if ":" in host else host
    base = f"http://{shown}:{port}"
    if settings.try_it_open:
        typer.echo(f"Try it   {base}/")
    typer.echo(f"API      {base}/docs")
    typer.echo(f"Health   {base}/healthz")
