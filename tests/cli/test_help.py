"""What a newcomer sees first, and how soon."""

import subprocess
import sys

from tests.cli.conftest import Shell

COMMANDS = {
    "serve",
    "worker",
    "migrate",
    "migration",
    "seed",
    "render",
    "demo",
    "fakes",
    "call",
    "audit",
    "ledger",
    "credits",
    "experiments",
    "jobs",
    "openapi",
    "smoke",
    "smoke-entitlements",
}
HEAVY = "{'sqlalchemy', 'fastapi', 'pydantic', 'aiohttp', 'alembic', 'uvicorn'}"


class TestHelp:
    def test_lists_every_command(self, shell: Shell) -> None:
        words = {line.split()[1] for line in shell.done("--help") if line.startswith("│ ")}

        assert words >= COMMANDS

    def test_loads_nothing_of_the_application(self) -> None:
        look = f"import sys, medici.cli; print({HEAVY} & set(sys.modules))"
        seen = subprocess.run([sys.executable, "-c", look], capture_output=True, check=True)

        assert seen.stdout.decode().strip() == "set()"
