"""Every route of the studio door."""

from fastapi import APIRouter

from medici.doors.studio import auth, credits, files, render_events, renders, uploads
from medici.doors.studio.tryit import routes as tryit

router = APIRouter()
for part in (auth, uploads, renders, render_events, credits, files, tryit):
    router.include_router(part.router)
