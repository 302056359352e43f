"""The calls to Replicate's API, each with its time limit and with the key."""

from dataclasses import dataclass, field
from io import BytesIO

import aiohttp
from pydantic import ValidationError

from medici.adapters.providers.calls import ask
from medici.adapters.providers.failure import FailureCode, ProviderFailure
from medici.adapters.providers.replicate.answers import SigningSecret, StoredFile
from medici.adapters.providers.replicate.failures import refused_question, refused_submission
from medici.adapters.providers.replicate.inputs import Input
from medici.adapters.providers.request import InputImage
from medici.kernel.net.client import Limits, OutgoingClient, Response
from medici.kernel.net.trust import Credentials

MOST_BYTES = 4 * 1024 * 1024
UPLOAD = Limits(seconds=60, max_bytes=1024 * 1024)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """Speaks to one base address, and sends the key nowhere else."""

    outgoing: OutgoingClient
    key: str = field(repr=False)
    base: str
    submit_seconds: float
    read_seconds: float

    async def create(self, model: str, given: Input, webhook_url: str | None) -> Response:
        """Order a prediction, with one request."""
        owner_and_name, _, version = model.partition(":")
        order: dict[str, object] = {"input": given}
        if version:
            order["version"] = version
        if webhook_url:
            order |= {"webhook": webhook_url, "webhook_events_filter": ["completed"]}
        path = "/predictions" if version else f"/models/{owner_and_name}/predictions"
        return await ask(
            self.outgoing,
            "POST",
            self._url(path),
            limits=Limits(seconds=self.submit_seconds, max_bytes=MOST_BYTES),
            credentials=self._credentials,
            json=order,
        )

    async def read(self, path: str) -> Response:
        """Ask for something, which changes nothing and may be repeated."""
        return await self._repeatable("GET", path)

    async def cancel(self, prediction_id: str) -> Response:
        return await self._repeatable("POST", f"/predictions/{prediction_id}/cancel")

    async def upload(self, image: InputImage) -> str:
        """Leave a picture with the vendor for a day and return where models find it."""
        form = aiohttp.FormData()
        form.add_field(
            "content", BytesIO(image.data), filename="photo", content_type=image.content_type
        )
        answer = await self._repeatable("POST", "/files", form=form, limits=UPLOAD)
        if answer.status not in {200, 201}:
            raise _nothing_ordered(refused_submission(answer))
        try:
            return StoredFile.model_validate_json(answer.body).urls.get
        except ValidationError as error:
            raise ProviderFailure(FailureCode.UNAVAILABLE, "the upload's answer is odd") from error

    async def signing_secret(self) -> str:
        """Return the secret that signs the account's webhooks."""
        answer = await self.read("/webhooks/default/secret")
        if answer.status != 200:
            raise refused_question(answer)
        try:
            return SigningSecret.model_validate_json(answer.body).key
        except ValidationError:
            # Without a cause: it would show the secret.
            message = "the webhook secret cannot be read"
            raise ProviderFailure(FailureCode.UNAVAILABLE, message) from None

    async def _repeatable(
        self,
        method: str,
        path: str,
        *,
        form: aiohttp.FormData | None = None,
        limits: Limits | None = None,
    ) -> Response:
        try:
            return await ask(
                self.outgoing,
                method,
                self._url(path),
                limits=limits or Limits(seconds=self.read_seconds, max_bytes=MOST_BYTES),
                credentials=self._credentials,
                body=form,
            )
        except ProviderFailure as failure:
            raise _nothing_ordered(failure) from failure

    def _url(self, path: str) -> str:
        return f"{self.base.rstrip('/')}{path}"

    @property
    def _credentials(self) -> Credentials:
        return Credentials(only_to=self.base, headers={"Authorization": f"Bearer {self.key}"})


def _nothing_ordered(failure: ProviderFailure) -> ProviderFailure:
    """Take the doubt from a lost answer, where nothing that costs was asked for."""
    if failure.code is not FailureCode.TIMEOUT_AMBIGUOUS:
        return failure
    return ProviderFailure(FailureCode.UNAVAILABLE, failure.message)
