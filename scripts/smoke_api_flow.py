"""Goes through the API of a running server as a customer does; the same as ``medici smoke``."""

import sys

from medici.cli import app

if __name__ == "__main__":
    app(["smoke", *sys.argv[1:]], prog_name="smoke_api_flow.py")
