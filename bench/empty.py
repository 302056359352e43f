"""Medici's server with one more route, which does nothing: what any route costs at least."""

import uvicorn

from medici.app import create_app

PATH = "/empty"


def serve(port: int) -> None:
    """Serve as ``medici serve`` does, and the empty route, which is found first."""
    app = create_app()

    @app.post(PATH)
    async def empty() -> dict[str, int]:
        return {}

    app.router.routes.insert(0, app.router.routes.pop())
    uvicorn.run(
        app, host="127.0.0.1", port=port, access_log=False, log_config=None, server_header=False
    )
