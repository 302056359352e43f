"""The keys of the fake: one signs pushes, by the other a service account proves itself."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

ISSUER = "https://accounts.google.com"
PUSHER = "pusher@fake.iam.gserviceaccount.com"
ACCOUNT = "medici@fake.iam.gserviceaccount.com"
SCOPE = "https://www.googleapis.com/auth/androidpublisher"
KEY_ID = "fake-key-1"
PUSH_SECONDS = 3600
SKEW_SECONDS = 60
LONGEST_SECONDS = 3600


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(slots=True)
class Google:
    """Google as far as it signs; ``key_id`` names the key in use."""

    push_key: rsa.RSAPrivateKey = field(default_factory=new_key)
    account_key: rsa.RSAPrivateKey = field(default_factory=new_key)
    key_id: str = KEY_ID

    @property
    def certs(self) -> dict[str, Any]:
        """Return the key set that pushes are checked against."""
        published = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.push_key.public_key()))
        return {"keys": [{**published, "kid": self.key_id, "use": "sig", "alg": "RS256"}]}

    def push_claims(self, audience: str, now: datetime) -> dict[str, Any]:
        """Return what the token of a push says."""
        issued_at = int(now.timestamp())
        return {
            "aud": audience,
            "azp": "113774264463038321964",
            "email": PUSHER,
            "email_verified": True,
            "exp": issued_at + PUSH_SECONDS,
            "iat": issued_at,
            "iss": ISSUER,
            "sub": "113774264463038321964",
        }

    def push_token(self, claims: dict[str, Any]) -> str:
        """Sign the token of a push."""
        return jwt.encode(claims, self.push_key, "RS256", headers={"kid": self.key_id})

    def key_file(self, token_uri: str) -> dict[str, str]:
        """Return the file of the service account's key, as Google's console hands it out."""
        form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return {
            "type": "service_account",
            "client_email": ACCOUNT,
            "private_key_id": "fake-account-key-1",
            "private_key": self.account_key.private_bytes(*form).decode(),
            "token_uri": token_uri,
        }

    def admits(self, assertion: str, token_uri: str, now: datetime) -> bool:
        """Tell whether the service account asks for what it may have."""
        try:
            claims = jwt.decode(
                assertion,
                self.account_key.public_key(),
                algorithms=["RS256"],
                audience=token_uri,
                issuer=ACCOUNT,
                # Times are judged by the fake's own clock.
                options={
                    "require": ["exp", "iat", "iss", "aud"],
                    "verify_exp": False,
                    "verify_iat": False,
                },
            )
        except jwt.PyJWTError:
            return False
        at, begins, ends = now.timestamp(), claims["iat"], claims["exp"]
        timely = begins - SKEW_SECONDS < at < ends and ends - begins <= LONGEST_SECONDS
        return claims.get("scope") == SCOPE and timely
