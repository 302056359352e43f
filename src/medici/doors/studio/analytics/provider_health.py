"""How well each provider does, for the operator."""

from typing import Annotated

from fastapi import APIRouter, Query

from medici.domain.insights.overview import ProviderHealth, providers_health
from medici.doors.http.auth import Operator
from medici.doors.http.context import Now
from medici.doors.http.sessions import ReadSession

router = APIRouter(prefix="/v1/admin/providers", tags=["analytics"])


@router.get("/health")
async def health_of_providers(
    _operator: Operator,
    session: ReadSession,
    now: Now,
    hours: Annotated[int, Query(ge=1, le=2160)] = 24,
) -> dict[str, ProviderHealth]:
    """Judge each provider by the renders that it finished or failed in the last ``hours``.

    ``health_score`` is 0.7 of its success rate and 0.3 of its speed, which is 100 up to 2.5 seconds
    and falls by one for every 75 ms more.
    """
    return await providers_health(session, hours=hours, now=now)
