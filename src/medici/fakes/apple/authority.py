"""A certificate authority like Apple's, made on the spot, and the words that it signs."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID, ObjectIdentifier

LEAF_MARK = ObjectIdentifier("1.2.840.113635.100.6.11.1")
INTERMEDIATE_MARK = ObjectIdentifier("1.2.840.113635.100.6.2.1")
NOTHING = bytes.fromhex("0500")  # what the marks hold: ASN.1 NULL
SINCE = datetime(2020, 1, 1, tzinfo=UTC)
UNTIL = datetime(2060, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Certified:
    """A key with its certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How one certificate is made; what it says beside its name can be got wrong on purpose."""

    name: str
    is_authority: bool
    mark: ObjectIdentifier | None = None
    since: datetime = SINCE
    until: datetime = UNTIL
    ocsp: str | None = None  # where to ask whether it was revoked


ROOT = Wish(name="Fake Apple Root CA", is_authority=True)
INTERMEDIATE = Wish(name="Fake Apple Intermediate", is_authority=True, mark=INTERMEDIATE_MARK)
LEAF = Wish(name="Fake Apple Signer", is_authority=False, mark=LEAF_MARK)


@dataclass(frozen=True, slots=True)
class Authority:
    """A root, an intermediate and a leaf, which signs."""

    root: Certified
    intermediate: Certified
    leaf: Certified

    @classmethod
    def make(
        cls, *, root: Wish = ROOT, intermediate: Wish = INTERMEDIATE, leaf: Wish = LEAF
    ) -> "Authority":
        top = certified(root, None)
        middle = certified(intermediate, top)
        return cls(top, middle, certified(leaf, middle))

    @property
    def chain(self) -> tuple[str, str, str]:
        """Return the certificates as a word's header carries them."""
        return (
            b64encode(self.leaf.der).decode(),
            b64encode(self.intermediate.der).decode(),
            b64encode(self.root.der).decode(),
        )

    def sign(self, claims: Mapping[str, Any], *, chain: Sequence[str] | None = None) -> str:
        """Sign claims as Apple would; ``chain`` takes the place of the certificates."""
        headers = {"x5c": list(self.chain if chain is None else chain)}
        return jwt.encode(dict(claims), self.leaf.key, "ES256", headers=headers)


def certified(wish: Wish, issuer: Certified | None) -> Certified:
    """Make a key and certify it; without an issuer it certifies itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, wish.name)])
    above = issuer.certificate.subject if issuer else name
    signer = issuer.key if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(above)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(wish.since)
        .not_valid_after(wish.until)
        .add_extension(x509.BasicConstraints(wish.is_authority, None), critical=True)
        .add_extension(_usage(signs_certificates=wish.is_authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if wish.mark is not None:
        marked = x509.UnrecognizedExtension(wish.mark, NOTHING)
        builder = builder.add_extension(marked, critical=False)
    if wish.ocsp is not None:
        builder = builder.add_extension(_asked_at(wish.ocsp), critical=False)
    return Certified(key, builder.sign(signer, SHA256()))


def _asked_at(address: str) -> x509.AuthorityInformationAccess:
    where = x509.UniformResourceIdentifier(address)
    return x509.AuthorityInformationAccess(
        [x509.AccessDescription(AuthorityInformationAccessOID.OCSP, where)]
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Writes words of one app in one environment; whatever is given goes over what is usual."""

    authority: Authority = field(default_factory=Authority.make)
    bundle_id: str = "com.example.medici"
    app_id: int = 1234567890
    environment: str = "Production"

    def transaction(self, at: datetime, **given: Any) -> str:
        """Sign a transaction as of ``at``."""
        usual = {
            "bundleId": self.bundle_id,
            "environment": self.environment,
            "inAppOwnershipType": "PURCHASED",
            "quantity": 1,
            "type": "Auto-Renewable Subscription",
            "signedDate": milliseconds(at),
        }
        return self.authority.sign({**usual, **given})

    def renewal(self, at: datetime, **given: Any) -> str:
        """Sign what is known about a subscription's next renewal, as of ``at``."""
        usual = {
            "environment": self.environment,
            "autoRenewStatus": 1,
            "signedDate": milliseconds(at),
        }
        return self.authority.sign({**usual, **given})

    def notification(
        self,
        at: datetime,
        *,
        uuid: str,
        kind: str,
        subtype: str | None = None,
        data: Mapping[str, Any] | None = None,
        **given: Any,
    ) -> str:
        """Sign a notification as of ``at``; ``data`` goes over what its part usually holds."""
        usual = {
            "notificationType": kind,
            "notificationUUID": uuid,
            "version": "2.0",
            "signedDate": milliseconds(at),
            **({"subtype": subtype} if subtype else {}),
            **({} if data is None else {"data": {**self.subject, **data}}),
        }
        return self.authority.sign({**usual, **given})

    @property
    def subject(self) -> dict[str, Any]:
        """Return the app that a notification is about; the sandbox has no numbers."""
        number = {"appAppleId": self.app_id} if self.environment == "Production" else {}
        return {"bundleId": self.bundle_id, "environment": self.environment, **number}


def milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
