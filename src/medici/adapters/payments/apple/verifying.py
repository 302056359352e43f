"""Proving by Apple's own library that a word is Apple's, and for an app and environment of ours."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from appstoreserverlibrary.models.Environment import Environment as AppleEnvironment
from appstoreserverlibrary.models.JWSRenewalInfoDecodedPayload import JWSRenewalInfoDecodedPayload
from appstoreserverlibrary.models.JWSTransactionDecodedPayload import JWSTransactionDecodedPayload
from appstoreserverlibrary.models.ResponseBodyV2DecodedPayload import ResponseBodyV2DecodedPayload
from appstoreserverlibrary.signed_data_verifier import (
    SignedDataVerifier,
    VerificationException,
    VerificationStatus,
)
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from medici.adapters.payments.apple.words import claimed
from medici.adapters.payments.errors import MessageUnreadable, SignatureRefused, StoreUnavailable
from medici.kernel.environment import Environment

# The library checks no signature at all in its other environments, so they are never chosen.
PROVEN = {"production": AppleEnvironment.PRODUCTION, "sandbox": AppleEnvironment.SANDBOX}
AHEAD = timedelta(minutes=5)  # how far Apple's clock may be before ours


@dataclass(frozen=True, slots=True, kw_only=True)
class AppleApp:
    """Whose words count: which apps, in which environments, under which roots.

    ``roots`` are DER certificates. ``app_id`` is the number of the app in the App Store, which
    production demands. With ``online_checks`` Apple is asked whether a certificate was revoked.
    """

    bundle_ids: tuple[str, ...]
    roots: tuple[bytes, ...]
    environments: tuple[str, ...] = ("Production",)
    app_id: int | None = None
    online_checks: bool = False
    max_age: timedelta = timedelta(days=10)

    def accepted(self) -> tuple[AppleEnvironment, ...]:
        """Return the environments by the library's names.

        Raises:
            ValueError: one of them is unknown, or one whose signatures are not checked.
        """
        unproven = [name for name in self.environments if name.strip().lower() not in PROVEN]
        if unproven:
            raise ValueError(f"words of the environment {unproven[0]!r} cannot be proven")
        return tuple(PROVEN[name.strip().lower()] for name in self.environments)

    def taken(self) -> tuple[Environment, ...]:
        """Return the environments by our own names."""
        return tuple(Environment(name.strip().lower()) for name in self.environments)


class Verifier:
    """Checks words. Every method takes a few milliseconds of a core: call it in a thread."""

    def __init__(self, app: AppleApp) -> None:
        """Prepare one verifier for each app in each environment.

        Raises:
            ValueError: the settings allow no proof.
        """
        if not app.bundle_ids or not app.roots:
            raise ValueError("Apple's words need a bundle id and a root certificate")
        self._verifiers = {
            (environment.value, bundle_id): SignedDataVerifier(
                list(app.roots), app.online_checks, environment, bundle_id, app.app_id
            )
            for environment in app.accepted()
            for bundle_id in app.bundle_ids
        }

    def notification(
        self, signed: str, *, not_before: datetime, now: datetime
    ) -> tuple[ResponseBodyV2DecodedPayload, SignedDataVerifier]:
        """Check a notification; return it, with the verifier of the words that it holds.

        Raises:
            SignatureRefused: it is not Apple's, not for us, or signed outside of
                ``not_before`` to ``now`` and a little more.
            MessageUnreadable: it is Apple's, but not of a shape that we know.
            StoreUnavailable: Apple could not be asked about a certificate.
        """
        claims = claimed(signed)
        _check_date(claims, not_before=not_before, now=now)
        verifier = self._verifier_for(_subject_of(claims))
        with _Judged():
            return verifier.verify_and_decode_notification(signed), verifier

    def transaction(self, signed: str, *, now: datetime) -> JWSTransactionDecodedPayload:
        """Check a transaction that stands alone, however old it is; errors as above."""
        claims = claimed(signed)
        _check_date(claims, not_before=None, now=now)
        return checked_transaction(self._verifier_for(claims), signed)

    def renewal(
        self, signed: str, transaction: JWSTransactionDecodedPayload, *, now: datetime
    ) -> JWSRenewalInfoDecodedPayload:
        """Check the renewal that came beside a transaction; errors as above."""
        _check_date(claimed(signed), not_before=None, now=now)
        key = {"environment": transaction.rawEnvironment, "bundleId": transaction.bundleId}
        return checked_renewal(self._verifier_for(key), signed)

    def _verifier_for(self, claims: Mapping[str, object]) -> SignedDataVerifier:
        """Choose by what a word claims; the one chosen then holds it to that."""
        environment, bundle_id = claims.get("environment"), claims.get("bundleId")
        if not isinstance(environment, str) or not isinstance(bundle_id, str):
            raise SignatureRefused("the word names neither app nor environment")
        verifier = self._verifiers.get((environment, bundle_id))
        if verifier is None:
            raise SignatureRefused("the word is for another app or environment")
        return verifier


def checked_transaction(verifier: SignedDataVerifier, signed: str) -> JWSTransactionDecodedPayload:
    """Check a transaction against a verifier that has been chosen."""
    claimed(signed)
    with _Judged():
        return verifier.verify_and_decode_signed_transaction(signed)


def checked_renewal(verifier: SignedDataVerifier, signed: str) -> JWSRenewalInfoDecodedPayload:
    """Check a renewal against a verifier that has been chosen."""
    claimed(signed)
    with _Judged():
        return verifier.verify_and_decode_renewal_info(signed)


def roots_in(directory: Path) -> tuple[bytes, ...]:
    """Read every certificate of a directory, DER or PEM.

    Raises:
        ValueError: there is none, or a file is no certificate.
    """
    files = sorted(path for path in directory.iterdir() if path.is_file())
    if not files:
        raise ValueError(f"{directory} holds no certificate")
    return tuple(_certificate(path) for path in files)


def moment(milliseconds: object) -> datetime | None:
    """Read a time of Apple's; None if there is none.

    Raises:
        MessageUnreadable: it is no time.
    """
    if milliseconds is None:
        return None
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int):
        raise MessageUnreadable("a date is no number")
    try:
        return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)
    except OverflowError as error:
        raise MessageUnreadable("a date is out of range") from error


class _Judged:
    """Says in our words why the library refused; what it fails on otherwise is only the shape."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, VerificationException):
            if error.status is VerificationStatus.RETRYABLE_VERIFICATION_FAILURE:
                raise StoreUnavailable("Apple's certificates cannot be checked now") from error
            raise SignatureRefused(f"refused: {error.status.name.lower()}") from error
        if isinstance(error, Exception):
            # The signature was right by then, so this is a shape that the library does not know.
            raise MessageUnreadable(f"unreadable: {type(error).__name__}") from error


def _subject_of(claims: Mapping[str, object]) -> Mapping[str, object]:
    """Return the part of a notification that names the app, of the four that there may be."""
    for name in ("data", "summary", "appData"):
        part = claims.get(name)
        if isinstance(part, dict):
            return part
    token = claims.get("externalPurchaseToken")
    if not isinstance(token, dict):
        raise SignatureRefused("the notification is about nothing")
    # Apple marks the sandbox in the id alone here, and so does its library.
    pretended = str(token.get("externalPurchaseId", "")).startswith("SANDBOX")
    return {**token, "environment": "Sandbox" if pretended else "Production"}


def _check_date(
    claims: Mapping[str, object], *, not_before: datetime | None, now: datetime
) -> None:
    # The chain is judged at this very date, so that it must not be one of the signer's choosing.
    try:
        signed_at = moment(claims.get("signedDate"))
    except MessageUnreadable as error:
        raise SignatureRefused("the word's date cannot be read") from error
    if signed_at is None or signed_at >= now + AHEAD:
        raise SignatureRefused("the word is from the future, or undated")
    if not_before is not None and signed_at <= not_before:
        raise SignatureRefused("the word is too old")


def _certificate(path: Path) -> bytes:
    data = path.read_bytes()
    read = (
        x509.load_pem_x509_certificate if b"-----BEGIN" in data else x509.load_der_x509_certificate
    )
    try:
        return read(data).public_bytes(Encoding.DER)
    except ValueError as error:
        raise ValueError(f"{path} is no certificate") from error
