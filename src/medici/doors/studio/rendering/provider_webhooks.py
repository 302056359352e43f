"""Where image providers tell us that their work is done."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from medici.adapters.providers.failure import ProviderFailure
from medici.adapters.providers.provider import Announcing, WebhookEvent
from medici.domain.rendering.errors import AttemptNotFound, TooEarly
from medici.domain.rendering.service.news import take_news
from medici.doors.http.context import AppResources
from medici.resources import Resources

router = APIRouter(tags=["provider webhooks"])


@router.post(
    "/v1/providers/{provider}/webhook/{attempt_id}", status_code=204, response_class=Response
)
async def provider_webhook(
    provider: str, attempt_id: UUID, request: Request, resources: AppResources
) -> None:
    """Take a provider's signed word that an attempt has ended.

    It is a hint: the provider is asked at once, and only its answer counts. 503 asks the provider
    to come again, since its call overtook our own bookkeeping; 404 means that the attempt is
    another provider's, or that the call speaks of other work.
    """
    event = await _verified(resources, provider, request)
    async with resources.database.transaction() as session:
        await take_news(
            session, provider=provider, attempt_id=attempt_id, ref=event.ref, now=resources.now()
        )


async def _verified(resources: Resources, provider: str, request: Request) -> WebhookEvent:
    announcing = resources.providers.by_name.get(provider)
    if not isinstance(announcing, Announcing):
        raise AttemptNotFound
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        return await announcing.verify_webhook(headers, await request.body())
    except ProviderFailure as failure:
        raise TooEarly("the provider's keys cannot be had now") from failure
