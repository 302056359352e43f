"""The description of the API, as a file that can be compared."""

import json
from pathlib import Path

from medici.app import create_app
from medici.kernel.errors import Kind, MediciError
from medici.settings import Settings


class OutOfStep(MediciError):
    """The kept description is not the one that this program gives."""

    kind = Kind.CONFLICT
    code = "openapi_out_of_step"


def description() -> str:
    """Return the description of all doors as sorted JSON, whatever this machine has set."""
    untouched = Settings.model_construct()  # the defaults, without reading the environment
    document = create_app(untouched).openapi()
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def check_description(kept: Path) -> None:
    """Compare the kept description with ours.

    Raises:
        OutOfStep: they differ.
    """
    if kept.read_text() != description():
        raise OutOfStep(f"{kept} is not what the API is now; run: make openapi")
