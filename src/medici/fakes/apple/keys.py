"""The key with which an app proves itself to the fake's server API."""

from dataclasses import dataclass, field
from datetime import datetime

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

AUDIENCE = "appstoreconnect-v1"
ISSUER_ID, KEY_ID = "57246542-96fe-1a63-e053-0824d011072a", "FAKEKEY123"
LONGEST_SECONDS = 3600
SKEW_SECONDS = 60


@dataclass(frozen=True, slots=True)
class AppKey:
    """A key that the fake made, as App Store Connect would."""

    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    @property
    def pem(self) -> str:
        form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return self.key.private_bytes(*form).decode()

    def admits(self, authorization: str, now: datetime) -> str | None:
        """Return the app that a request's token is for; None for a token that is not taken."""
        try:
            read = jwt.decode_complete(
                authorization.removeprefix("Bearer "),
                self.key.public_key(),
                algorithms=["ES256"],
                audience=AUDIENCE,
                issuer=ISSUER_ID,
                # Times are judged by the fake's own clock.
                options={
                    "require": ["exp", "iss", "aud"],
                    "verify_exp": False,
                    "verify_iat": False,
                },
            )
        except jwt.PyJWTError:
            return None
        claims = read["payload"]
        at = now.timestamp()
        timely = at < claims["exp"] <= at + LONGEST_SECONDS + SKEW_SECONDS
        return claims.get("bid") if timely and read["header"].get("kid") == KEY_ID else None
