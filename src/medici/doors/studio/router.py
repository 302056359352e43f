"""Every route of the studio door."""

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

# Each for itself, because a router within a router is searched twice for every request; what is
# asked most often comes first.
routers = tuple(
    part.router
    for part in (
        renders,
        uploads,
        credits,
        auth,
        render_events,
        provider_webhooks,
        files,
        tryit,
    )
)
