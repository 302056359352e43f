"""Every route of the studio door."""

from fastapi import APIRouter

from medici.doors.studio import (
    auth,
    credits,
    files,
    provider_webhooks,
    render_events,
    renders,
    uploads,
)
from medici.doors.studio.tryit import routes as tryit

router = APIRouter()
for part in (
    auth,
    uploads,
    renders,
    render_events,
    provider_webhooks,
    credits,
    files,
    tryit,
):
    router.include_router(part.router)
