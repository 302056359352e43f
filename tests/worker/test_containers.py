"""The files for containers name what there is."""

import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # it brings no types
from typer.testing import CliRunner

from medici.cli.main import app
from medici.jobs.kinds import Queue
from tests.test_env_example import known

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
OURS = ("api", "worker", "beat")
CELERY = ["celery", "-A", "medici.worker"]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return loaded


class TestCompose:
    def test_has_every_process(self, compose: dict[str, Any]) -> None:
        assert sorted(compose["services"]) == sorted([*OURS, "postgres", "valkey"])

    def test_starts_celery_on_every_queue(self, compose: dict[str, Any]) -> None:
        worker = compose["services"]["worker"]["command"].split()
        beat = compose["services"]["beat"]["command"].split()

        assert worker == [*CELERY, "worker", "-Q", ",".join(Queue)]
        assert beat == [*CELERY, "beat"]

    def test_waits_for_services_that_tell_their_health(self, compose: dict[str, Any]) -> None:
        services = compose["services"]
        awaited = {
            name: [condition["condition"] for condition in service.get("depends_on", {}).values()]
            for name, service in services.items()
        }
        needed = {on for service in services.values() for on in service.get("depends_on", {})}

        assert all(set(conditions) <= {"service_healthy"} for conditions in awaited.values())
        assert all("test" in services[on]["healthcheck"] for on in needed - {"api"})
        assert "healthcheck" not in services["api"]  # the image's own

    def test_asks_a_module_that_exists_after_the_worker(self, compose: dict[str, Any]) -> None:
        *python, module = compose["services"]["worker"]["healthcheck"]["test"]

        assert python == ["CMD", "python", "-m"]
        assert find_spec(module) is not None

    def test_sets_what_settings_know(self, compose: dict[str, Any]) -> None:
        for name in OURS:
            service = compose["services"][name]
            assert set(service["environment"]) <= set(known())
            assert service["environment"]["MEDICI_RUNNER"] == "celery"
            assert service["env_file"] == [{"path": ".env", "required": False}]

    def test_keeps_what_must_not_be_lost(self, compose: dict[str, Any]) -> None:
        mounts = {mount for one in compose["services"].values() for mount in one.get("volumes", [])}

        assert {mount.split(":")[0] for mount in mounts} == set(compose["volumes"])


class TestDockerfile:
    def test_serves_by_a_command_that_exists(self) -> None:
        medici, name, *options = json.loads(
            re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)[-1]
        )

        shown = CliRunner().invoke(app, [name, "--help"])
        assert medici == "medici"
        assert shown.exit_code == 0
        assert [one for one in options if one.startswith("--") and one not in shown.output] == []

    def test_runs_as_nobody_special(self) -> None:
        users = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)

        assert users == ["medici"]

    def test_copies_what_there_is(self) -> None:
        copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
        names = [name for line in copied for name in line.split()]

        assert [name for name in names if not (ROOT / name).exists()] == []
        assert {f"!{name}" for name in names} <= set(
            (ROOT / ".dockerignore").read_text().splitlines()
        )
