"""The calls to fal, each with its time limit and with the key, which goes to fal alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from yarl import URL

from medici.adapters.providers.calls import ask
from medici.adapters.providers.failure import FailureCode, ProviderFailure
from medici.adapters.providers.fal.answers import UploadPlace, read
from medici.adapters.providers.fal.failures import refused_submission
from medici.adapters.providers.fal.inputs import Input
from medici.adapters.providers.fal.patience import Patience
from medici.adapters.providers.fal.webhooks import KeySet, public_keys
from medici.adapters.providers.request import InputImage
from medici.kernel.net.client import Limits, OutgoingClient, Response
from medici.kernel.net.trust import Credentials

MOST_BYTES = 4 * 1024 * 1024
UPLOAD = Limits(seconds=60, max_bytes=1024 * 1024)
UPLOAD_PATH = "/storage/upload/initiate?storage_type=gcs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bases:
    """Where fal's parts are: the queue, the storage of inputs, and the keys of webhooks."""

    queue: str = "https://queue.fal.run"
    rest: str = "https://rest.fal.ai"
    keys: str = "https://rest.alpha.fal.ai/.well-known/jwks.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """Speaks to fal."""

    outgoing: OutgoingClient
    key: str = field(repr=False)
    bases: Bases
    submit_seconds: float
    read_seconds: float

    async def submit(
        self, model: str, given: Input, webhook_url: str | None, patience: Patience
    ) -> Response:
        """Order work, with one request."""
        url = URL(f"{self.bases.queue.rstrip('/')}/{model}")
        if webhook_url:
            url = url.with_query(fal_webhook=webhook_url)
        return await ask(
            self.outgoing,
            "POST",
            str(url),
            limits=Limits(seconds=self.submit_seconds, max_bytes=MOST_BYTES),
            headers=patience.headers(),
            credentials=self._credentials(self.bases.queue),
            json=given,
        )

    async def repeat(self, method: str, url: str) -> Response:
        """Ask the queue something that changes nothing, or nothing more the second time.

        Raises:
            ProviderFailure: no answer (``UNAVAILABLE``).
        """
        try:
            return await ask(
                self.outgoing,
                method,
                url,
                limits=self._reading,
                credentials=self._credentials(self.bases.queue),
            )
        except ProviderFailure as failure:
            raise _nothing_ordered(failure) from failure

    async def upload(self, image: InputImage) -> str:
        """Leave a picture with fal and return where its models find it.

        Raises:
            ProviderFailure: it could not be left; nothing was ordered.
        """
        name = f"photo.{image.content_type.rpartition('/')[2]}"
        try:
            answer = await ask(
                self.outgoing,
                "POST",
                self.bases.rest.rstrip("/") + UPLOAD_PATH,
                limits=UPLOAD,
                credentials=self._credentials(self.bases.rest),
                json={"file_name": name, "content_type": image.content_type},
            )
            place = read(UploadPlace, answer.body) if answer.status == 200 else None
            if place is None:
                raise refused_submission(answer)
            await self._put(image, place.upload_url)
        except ProviderFailure as failure:
            raise _nothing_ordered(failure) from failure
        return place.file_url

    async def _put(self, image: InputImage, url: str) -> None:
        answer = await ask(
            self.outgoing,
            "PUT",
            url,
            limits=UPLOAD,
            headers={"Content-Type": image.content_type},
            body=image.data,
        )
        if not 200 <= answer.status < 300:
            message = f"the upload answers {answer.status}"
            raise ProviderFailure(FailureCode.UNAVAILABLE, message)

    async def webhook_keys(self) -> Sequence[Ed25519PublicKey]:
        """Return the keys that webhooks are signed with."""
        answer = await ask(self.outgoing, "GET", self.bases.keys, limits=self._reading)
        published = read(KeySet, answer.body) if answer.status == 200 else None
        if published is None:
            raise ProviderFailure(FailureCode.UNAVAILABLE, "the webhook keys cannot be had")
        return public_keys(published)

    @property
    def _reading(self) -> Limits:
        return Limits(seconds=self.read_seconds, max_bytes=MOST_BYTES)

    def _credentials(self, base: str) -> Credentials:
        return Credentials(only_to=base, headers={"Authorization": f"Key {self.key}"})


def _nothing_ordered(failure: ProviderFailure) -> ProviderFailure:
    """Take the doubt out of a failure, where nothing that costs can have come about."""
    if failure.code is not FailureCode.TIMEOUT_AMBIGUOUS:
        return failure
    return ProviderFailure(FailureCode.UNAVAILABLE, failure.message)
