"""Failures in one line of words instead of a traceback."""

from typing import Any

import typer
from typer.core import TyperGroup


class Spoken(TyperGroup):
    """Tells an expected failure of any command on standard error and exits with 1."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:  # what has no words of its own goes on as it came
            from medici.cli.failures import words_for  # noqa: PLC0415 - needs the database's errors

            words = words_for(error)
            if words is None:
                raise
            typer.secho(f"medici: {words}", fg="red", err=True)
            raise typer.Exit(1) from error
