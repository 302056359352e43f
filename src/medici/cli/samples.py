"""The photo that comes with the program."""

from pathlib import Path

import medici

SAMPLE = Path(medici.__file__).with_name("demo") / "bedroom.jpg"
