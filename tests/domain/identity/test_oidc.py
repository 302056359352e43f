"""ID tokens: one that is good, and every way we know of forging one."""

import base64
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from medici.domain.identity import oidc
from medici.domain.identity.errors import InvalidIdToken
from medici.domain.identity.oidc import Subject
from medici.settings import OidcIssuer

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
ISSUER = "https://accounts.example"
ISSUERS = (
    OidcIssuer(issuer=ISSUER, audience="medici-ios"),
    OidcIssuer(issuer=ISSUER, audience="medici-web"),
    OidcIssuer(issuer="https://other.example", audience="medici-ios"),
)

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()
STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
WEAK = rsa.generate_private_key(public_exponent=65537, key_size=1024)

RSA_JWK = {**jwt.algorithms.RSAAlgorithm.to_jwk(RSA.public_key(), as_dict=True), "kid": "rsa"}
KEYS: list[Mapping[str, object]] = [
    {**RSA_JWK, "alg": "RS256", "use": "sig"},
    {**jwt.algorithms.ECAlgorithm.to_jwk(EC.public_key(), as_dict=True), "kid": "ec"},
    {**jwt.algorithms.OKPAlgorithm.to_jwk(ED.public_key(), as_dict=True), "kid": "ed"},
]
CLAIMS: Mapping[str, object] = {
    "iss": ISSUER,
    "aud": "medici-ios",
    "sub": "42",
    "iat": SECONDS - 10,
    "exp": SECONDS + 600,
}


def signed(
    claims: Mapping[str, object] | None = None,
    *,
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey = RSA,
    algorithm: str = "RS256",
    headers: Mapping[str, object] | None = None,
) -> str:
    names = {"RS256": "rsa", "ES256": "ec", "EdDSA": "ed"}
    # The library's own way of making tokens would refuse to make some of these.
    return jwt.PyJWS().encode(
        json.dumps({**CLAIMS, **(claims or {})}).encode(),
        key,
        algorithm=algorithm,
        headers={"kid": names.get(algorithm, "rsa"), **(headers or {})},
    )


def encoded(part: object) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def by_hand(header: Mapping[str, object], signature: bytes = b"") -> str:
    return ".".join((encoded(header), encoded(dict(CLAIMS)), encoded(signature)))


def without(name: str) -> str:
    claims = {key: value for key, value in CLAIMS.items() if key != name}
    return jwt.encode(claims, RSA, algorithm="RS256", headers={"kid": "rsa"})


def by_shared_secret() -> str:
    """HS256 with the issuer's public key as the secret: works where no algorithm is pinned."""
    public = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    message = f"{encoded({'alg': 'HS256', 'kid': 'rsa'})}.{encoded(CLAIMS)}"
    return f"{message}.{encoded(hmac.digest(public, message.encode(), 'sha256'))}"


def exchange(token: str, keys: list[Mapping[str, object]] | None = None) -> Subject:
    return oidc.verify(oidc.present(token, ISSUERS), KEYS if keys is None else keys, now=NOW)


FORGED = {
    "no algorithm": by_hand({"alg": "none", "typ": "JWT"}),
    "no algorithm, other case": by_hand({"alg": "NoNe"}),
    "algorithm missing": by_hand({"typ": "JWT"}),
    "algorithm is a list": by_hand({"alg": ["RS256"]}),
    "public key as a shared secret": by_shared_secret(),
    "empty signature": by_hand({"alg": "RS256", "kid": "rsa"}),
    "signature of another key": signed(key=STRANGER),
    "ES256 header over an RSA key id": signed(key=EC, algorithm="ES256", headers={"kid": "rsa"}),
    "key of a set elsewhere": signed(headers={"jku": "https://evil.example/keys"}),
    "key inside the token": signed(headers={"jwk": dict(RSA_JWK)}),
    "certificate elsewhere": signed(headers={"x5u": "https://evil.example/cert"}),
    "certificate inside": signed(headers={"x5c": ["MIIB"]}),
    "key id is a path": signed(headers={"kid": "../../../dev/null"}),
    "key id is SQL": signed(headers={"kid": "rsa' OR '1'='1"}),
    "unknown key id": signed(headers={"kid": "rotated"}),
    "access token": signed(headers={"typ": "at+jwt"}),
    "logout token": signed(headers={"typ": "logout+jwt"}),
    "empty crit": by_hand({"alg": "RS256", "kid": "rsa", "crit": []}),
    "crit": by_hand({"alg": "RS256", "kid": "rsa", "crit": ["exp"], "exp": 1}),
    "unknown issuer": signed({"iss": "https://evil.example"}),
    "issuer with a slash more": signed({"iss": ISSUER + "/"}),
    "issuer is a list": signed({"iss": [ISSUER]}),
    "another audience": signed({"aud": "medici-android"}),
    "no audience": without("aud"),
    "no expiry": without("exp"),
    "no subject": without("sub"),
    "no time of issue": without("iat"),
    "expired": signed({"exp": SECONDS - 31}),
    "expiry is text": signed({"exp": "never"}),
    "expiry is true": signed({"exp": True}),
    "expiry is infinite": signed({"exp": float("inf")}),
    "not valid yet": signed({"nbf": SECONDS + 31}),
    "issued in the future": signed({"iat": SECONDS + 31}),
    "empty subject": signed({"sub": ""}),
    "subject with a line break": signed({"sub": "42\n43"}),
    "long subject": signed({"sub": "4" * 256}),
    "several audiences, other party": signed({"aud": ["medici-ios", "evil"], "azp": "evil"}),
    "several audiences, no party": signed({"aud": ["medici-ios", "evil"]}),
    "too long": signed({"note": "x" * 20_000}),
    "not a token": "a.b.c",
    "empty": "",
    "payload is a list": ".".join((encoded({"alg": "RS256"}), encoded([1]), encoded(b"x"))),
    "no ASCII": "é.é.é",
}


class TestVerify:
    @pytest.mark.parametrize(
        ("key", "algorithm"),
        [(RSA, "RS256"), (EC, "ES256"), (ED, "EdDSA")],
        ids=["RS256", "ES256", "EdDSA"],
    )
    def test_accepts_each_pinned_algorithm(
        self,
        key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey,
        algorithm: str,
    ) -> None:
        subject = exchange(signed(key=key, algorithm=algorithm))

        assert subject == Subject(issuer=ISSUER, name="42")

    @pytest.mark.parametrize("token", FORGED.values(), ids=FORGED)
    def test_refuses_what_is_forged(self, token: str) -> None:
        with pytest.raises(InvalidIdToken):
            exchange(token)

    @pytest.mark.parametrize(
        "claims",
        [
            {"aud": "medici-web"},
            {"aud": ["medici-ios"]},
            {"aud": ["medici-ios", "partner"], "azp": "medici-ios"},
            {"exp": SECONDS - 29},
            {"iat": SECONDS + 29},
            {"nbf": SECONDS + 29},
        ],
        ids=str,
    )
    def test_accepts_what_is_within_bounds(self, claims: Mapping[str, object]) -> None:
        assert exchange(signed(claims)).name == "42"

    def test_refuses_each_changed_character_of_the_signature(self) -> None:
        head, payload, signature = signed(key=ED, algorithm="EdDSA").split(".")
        # The last character carries bits that decoding drops.
        changed = [
            signature[:i] + ("A" if signature[i] != "A" else "B") + signature[i + 1 :]
            for i in range(len(signature) - 1)
        ]

        for each in changed:
            with pytest.raises(InvalidIdToken):
                exchange(f"{head}.{payload}.{each}")

    def test_refuses_a_key_that_is_not_for_signatures(self) -> None:
        with pytest.raises(InvalidIdToken):
            exchange(signed(), [{**KEYS[0], "use": "enc"}])

    def test_refuses_a_weak_key(self) -> None:
        weak = jwt.algorithms.RSAAlgorithm.to_jwk(WEAK.public_key(), as_dict=True)

        with pytest.raises(InvalidIdToken):
            exchange(signed(), [{**weak, "kid": "rsa"}])

    def test_needs_one_key_alone_to_fit(self) -> None:
        with pytest.raises(InvalidIdToken):
            exchange(signed(), [*KEYS, KEYS[0]])

    def test_does_without_key_id_where_the_issuer_has_one_fitting_key(self) -> None:
        token = jwt.encode(dict(CLAIMS), RSA, algorithm="RS256")

        assert exchange(token).name == "42"
