"""Many render jobs at once, written rather than ordered."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import insert

from medici.adapters.providers.request import Operation, Tier
from medici.domain.identity.service import ensure_user
from medici.domain.rendering.models import RenderJob, RenderState
from medici.kernel.db.database import Database
from medici.kernel.ids import new_id
from tests.doors.support import NOW


async def write_jobs(
    database: Database,
    project_ids: Sequence[str],
    *,
    user_id: str = "ada",
    state: RenderState = RenderState.FAILED,
    now: datetime = NOW,
) -> list[UUID]:
    """Write a job for each of the projects, in their order, a second apart."""
    rows = [
        {
            "id": new_id(),
            "user_id": user_id,
            "project_id": project_id,
            "style_id": "modern",
            "operation": Operation.RESTYLE,
            "tier": Tier.PREVIEW,
            "target_parts": ["full_room"],
            "image_url": "https://example.com/room.jpg",
            "prompt": "",
            "wishes": [],
            "max_pixels": 800_000,
            "plan_id": "free",
            "credits": 0,
            "settings_version": 1,
            "candidates": [["mock", "mock-preview"]],
            "state": state,
            "provider": "mock",
            "provider_model": "mock-preview",
            "notes": [],
            "created_at": now + timedelta(seconds=number),
            "updated_at": now + timedelta(seconds=number),
        }
        for number, project_id in enumerate(project_ids)
    ]
    async with database.transaction() as session:
        await ensure_user(session, user_id=user_id, now=now)
        await session.execute(insert(RenderJob), rows)
    return [UUID(str(row["id"])) for row in rows]
