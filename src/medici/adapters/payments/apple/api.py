"""Speaking to the App Store Server API as one of our apps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import BaseModel, ValidationError
from yarl import URL

from medici.adapters.payments.errors import PurchaseUnknown, StoreUnavailable
from medici.kernel.clock import Clock, system_clock
from medici.kernel.environment import Environment
from medici.kernel.net.client import Limits, OutgoingClient, Response
from medici.kernel.net.errors import RequestFailed, UnsafeUrl
from medici.kernel.net.trust import Credentials

BASES: Mapping[Environment, str] = {
    Environment.PRODUCTION: "https://api.storekit.apple.com",
    Environment.SANDBOX: "https://api.storekit-sandbox.apple.com",
}
AUDIENCE = "appstoreconnect-v1"
TOKEN_SECONDS = 300
LIMITS = Limits(seconds=20, max_bytes=8 * 1024 * 1024)
TAKEN = frozenset({200, 202})
# Apple's numbers for an id that is unknown now, but may be known in a moment.
KNOWN_SOON = frozenset({4040002, 4040004, 4040006})

Answer = TypeVar("Answer", bound=BaseModel)


class Problem(BaseModel):
    errorCode: int = 0  # noqa: N815 - Apple's names
    errorMessage: str = ""  # noqa: N815


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """An in-app purchase key of App Store Connect; ``private_key`` signs ES256."""

    issuer_id: str
    key_id: str
    private_key: EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def of(cls, *, issuer_id: str, key_id: str, pem: str) -> "ApiKey":
        """Take the key as Apple's file holds it; ``\\n`` may stand for its line ends.

        Raises:
            ValueError: it is no such key.
        """
        key = load_pem_private_key(pem.replace("\\n", "\n").encode(), password=None)
        if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
            raise ValueError("the App Store's API wants a key on the curve P-256")
        return cls(issuer_id=issuer_id, key_id=key_id, private_key=key)

    def token(self, bundle_id: str, *, now: datetime) -> str:
        """Make the token that one request carries."""
        issued_at = int(now.timestamp())
        claims = {
            "iss": self.issuer_id,
            "iat": issued_at,
            "exp": issued_at + TOKEN_SECONDS,
            "aud": AUDIENCE,
            "bid": bundle_id,
        }
        return jwt.encode(claims, self.private_key, "ES256", headers={"kid": self.key_id})


@dataclass(frozen=True, slots=True, kw_only=True)
class AppStoreApi:
    """``base`` takes the place of Apple's own addresses, both of them."""

    outgoing: OutgoingClient
    key: ApiKey
    base: str | None = None
    clock: Clock = system_clock

    async def get(
        self,
        path: str,
        shape: type[Answer],
        *,
        bundle_id: str,
        environment: Environment,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask for something; ``path`` is taken literally, so that no id can leave its place.

        Raises:
            PurchaseUnknown: Apple knows no such purchase of this app.
            StoreUnavailable: no answer that can be used.
        """
        url = URL(self._base(environment)).joinpath(*path.split("/")).with_query(query or {})
        return await self._ask("GET", url, shape, bundle_id=bundle_id, json=None)

    async def post(
        self,
        path: str,
        shape: type[Answer],
        *,
        bundle_id: str,
        environment: Environment,
        json: object,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask with a body; raises as ``get`` does."""
        url = URL(self._base(environment)).joinpath(*path.split("/")).with_query(query or {})
        return await self._ask("POST", url, shape, bundle_id=bundle_id, json=json)

    async def put(
        self, path: str, *, bundle_id: str, environment: Environment, json: object
    ) -> None:
        """Tell something that Apple takes without an answer; raises as ``get`` does."""
        url = URL(self._base(environment)).joinpath(*path.split("/"))
        answer = await self._send("PUT", url, bundle_id=bundle_id, json=json)
        if answer.status not in TAKEN:
            raise _refusal(answer)

    def _base(self, environment: Environment) -> str:
        return self.base or BASES[environment]

    async def _ask(
        self, method: str, url: URL, shape: type[Answer], *, bundle_id: str, json: object
    ) -> Answer:
        return _read(await self._send(method, url, bundle_id=bundle_id, json=json), shape)

    async def _send(self, method: str, url: URL, *, bundle_id: str, json: object) -> Response:
        token = self.key.token(bundle_id, now=self.clock())
        try:
            return await self.outgoing.request(
                method,
                str(url),
                limits=LIMITS,
                redirects=0,
                json=json,
                credentials=Credentials(
                    only_to=str(url), headers={"Authorization": f"Bearer {token}"}
                ),
            )
        except (RequestFailed, UnsafeUrl) as error:
            raise StoreUnavailable(f"the App Store cannot be asked: {error}") from error


def _read(answer: Response, shape: type[Answer]) -> Answer:
    if answer.status != 200:
        raise _refusal(answer)
    try:
        return shape.model_validate_json(answer.body)
    except ValidationError as error:
        raise StoreUnavailable("the App Store's answer cannot be read") from error


def _refusal(answer: Response) -> PurchaseUnknown | StoreUnavailable:
    try:
        problem = Problem.model_validate_json(answer.body)
    except ValidationError:
        problem = Problem()
    unknown = answer.status in {400, 404} and problem.errorCode not in KNOWN_SOON
    if unknown and problem.errorCode:
        return PurchaseUnknown(f"the App Store knows no such purchase ({problem.errorCode})")
    return StoreUnavailable(f"the App Store answers {answer.status} ({problem.errorCode})")
