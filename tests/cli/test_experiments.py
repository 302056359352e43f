"""Guardrails and the automation of experiments from the shell."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest

from medici.kernel.clock import system_clock
from medici.migrations.upgrade import upgrade
from tests.cli.conftest import Shell
from tests.domain.experiments.stage import HOUR, Stage
from tests.support.databases import opened

SCRIPTS = Path(__file__).parents[2] / "scripts"
AUTOMATION = ("experiments", "automation")


@asynccontextmanager
async def staged(database_url: str) -> AsyncIterator[Stage]:
    async with opened(database_url) as database:
        await upgrade(database)
        yield Stage(database=database, now=system_clock())


async def breach(database_url: str) -> None:
    """Set up an experiment whose variant b breaches its guardrail."""
    async with staged(database_url) as stage:
        await stage.experiment(guardrails={"render_success_rate_min": 85})
        await stage.renders(await stage.users("b", 40), "failed", at=stage.now - HOUR)


async def win(database_url: str) -> None:
    """Set up an experiment whose variant b has won."""
    async with staged(database_url) as stage:
        await stage.experiment()
        await stage.pay((await stage.users("control", 120))[:20])
        await stage.pay((await stage.users("b", 120))[:48])


async def percent(database_url: str) -> int:
    async with staged(database_url) as stage:
        return (await stage.stored())[1].rollout_percent


def told(shell: Shell, *words: str, exit_code: int = 0, **settings: str) -> dict[str, Any]:
    result = shell.run(*words, **settings)
    assert result.exit_code == exit_code, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


class TestGuardrails:
    def test_counts_a_breach_unless_dry(self, shell_on_either: Shell) -> None:
        shell = shell_on_either
        asyncio.run(breach(shell.database_url))

        words = ("experiments", "guardrails", "--hours", "48")
        dry = told(shell, *words, "--dry-run")
        wet = [told(shell, *words) for _ in range(2)]

        assert (dry["window_hours"], dry["dry_run"], dry["breached_count"]) == (48, True, 1)
        streaks = [each["evaluations"][0]["violation_streak"] for each in (dry, *wet)]
        assert streaks == [1, 1, 2]
        assert [each["paused_count"] for each in wet] == [0, 1]

    def test_is_the_script_too(self, shell: Shell) -> None:
        ran = script(shell, "run_experiment_guardrails.py", "--dry-run", "--hours", "24")

        assert (ran.returncode, json.loads(ran.stdout)["evaluated_count"]) == (0, 0)


class TestAutomation:
    def test_takes_a_step_unless_dry(self, shell_on_either: Shell) -> None:
        shell = shell_on_either
        asyncio.run(win(shell.database_url))

        dry = told(shell, *AUTOMATION, "--dry-run", "--rollout-limit", "7")
        before = asyncio.run(percent(shell.database_url))
        wet = told(shell, *AUTOMATION, "--actor", "cron", "--reason", "the hour")

        assert (dry["rollout_limit"], dry["rollouts"]["applied_count"], before) == (7, 0, 0)
        assert wet["rollouts"]["applied_count"] == 1
        assert asyncio.run(percent(shell.database_url)) == 10

    @pytest.mark.parametrize(
        ("words", "exit_code"),
        [
            ((), 0),
            (("--fail-on-rollout-blocked",), 3),
            (("--fail-on-breach",), 2),
            (("--fail-on-breach", "--fail-on-rollout-blocked"), 2),
        ],
    )
    def test_fails_where_that_is_wanted(
        self, shell: Shell, words: tuple[str, ...], exit_code: int
    ) -> None:
        asyncio.run(breach(shell.database_url))

        result = told(shell, *AUTOMATION, "--dry-run", *words, exit_code=exit_code)

        assert (result["guardrails"]["breached_count"], result["rollouts"]["blocked_count"]) == (
            1,
            1,
        )

    def test_does_not_fail_where_nothing_is_wrong(self, shell: Shell) -> None:
        told(shell, *AUTOMATION, "--fail-on-breach", "--fail-on-rollout-blocked")

    def test_sends_what_it_did(self, shell: Shell) -> None:
        with receiver() as (url, place):
            words = (*AUTOMATION, "--notify-webhook-url", url)
            told(shell, *words, "--dry-run", MEDICI_OUTBOUND_ALLOW=place)
            silent = list(Receiver.messages)
            told(shell, *words, "--dry-run", "--notify-dry-run", MEDICI_OUTBOUND_ALLOW=place)
            told(
                shell,
                *AUTOMATION,
                MEDICI_OUTBOUND_ALLOW=place,
                EXPERIMENT_AUTOMATION_NOTIFY_WEBHOOK_URL=url,
            )

        assert silent == []
        assert [(each["type"], each["dry_run"]) for each in Receiver.messages] == [
            ("homeai_experiment_automation", True),
            ("homeai_experiment_automation", False),
        ]
        assert set(Receiver.messages[0]) == {
            "type",
            "checked_at",
            "dry_run",
            "window_hours",
            "rollout_limit",
            "summary",
            "result",
        }

    def test_succeeds_though_nobody_listens(self, shell: Shell) -> None:
        told(shell, *AUTOMATION, "--notify-webhook-url", "http://127.0.0.1:1/")

    @pytest.mark.parametrize("words", [("--hours", "0"), ("--rollout-limit", "1001")])
    def test_takes_what_makes_sense(self, shell: Shell, words: tuple[str, ...]) -> None:
        assert shell.run(*AUTOMATION, *words).exit_code == 2

    def test_is_the_script_too(self, shell: Shell) -> None:
        asyncio.run(breach(shell.database_url))

        ran = script(shell, "run_experiment_automation.py", "--dry-run", "--fail-on-breach")

        assert (ran.returncode, json.loads(ran.stdout)["dry_run"]) == (2, True)


class Receiver(BaseHTTPRequestHandler):
    """Remembers what it is sent."""

    messages: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.messages.append(json.loads(body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def receiver() -> Iterator[tuple[str, str]]:
    """Run a receiver in a thread; give its URL, and its host and port."""
    Receiver.messages.clear()
    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        place = f"127.0.0.1:{server.server_port}"
        yield f"http://{place}/hook", place
        server.shutdown()
        thread.join()


def script(shell: Shell, name: str, *words: str) -> "subprocess.CompletedProcess[bytes]":
    settings = {"DATABASE_URL": shell.database_url, "PATH": os.environ["PATH"]}
    return subprocess.run(
        [sys.executable, SCRIPTS / name, *words],
        check=False,
        env=settings,
        cwd=shell.directory,
        capture_output=True,
    )
