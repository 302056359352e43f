"""The description of the API is the same everywhere, and can be compared."""

import json

from tests.cli.conftest import Shell


class TestOpenapi:
    def test_does_not_depend_on_settings(self, shell: Shell) -> None:
        first = shell.done("openapi")
        second = shell.done("openapi", MEDICI_DOORS="compass", APP_ENV="staging")

        assert first == second
        assert "/v1/ai/render-jobs" in json.loads("\n".join(first))["paths"]

    def test_writes_what_it_checks(self, shell: Shell) -> None:
        kept = shell.directory / "docs" / "openapi.json"

        assert shell.done("openapi", "--out", kept) == []
        assert shell.done("openapi", "--check", kept) == []

    def test_notices_a_description_that_is_out_of_step(self, shell: Shell) -> None:
        kept = shell.directory / "openapi.json"
        kept.write_text("{}\n")

        words = shell.refused("openapi", "--check", kept)

        assert words == (
            f"medici: {kept} is not what the API is now; run: make openapi (openapi_out_of_step)"
        )
