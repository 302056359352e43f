"""Sentry: faults are reported without secrets, and only where somebody asked for it."""

import io
from collections.abc import Iterator

import pytest
import sentry_sdk
import structlog
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from medici.kernel.telemetry.logs import configure_logs
from medici.kernel.telemetry.sentry import start_sentry

CANARY = "c4n4ry" * 8


class Recorder(Transport):
    """Remembers what would have been sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[Envelope] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.sent.append(envelope)


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    recorder = Recorder()
    yield recorder
    sentry_sdk.get_client().close(timeout=0)
    sentry_sdk.get_global_scope().set_client(None)


class TestStartSentry:
    def test_reports_a_fault_without_its_secrets(self, recorder: Recorder) -> None:
        start_sentry(
            "https://key@sentry.example/1", environment="test", release="1", transport=recorder
        )
        password = CANARY
        sentry_sdk.set_context("request", {"headers": {"Cookie": password}})
        try:
            raise RuntimeError(f"vendor said Bearer {CANARY}")
        except RuntimeError as fault:
            sentry_sdk.capture_exception(fault)

        (envelope,) = recorder.sent
        report = envelope.serialize().decode()
        assert "vendor said Bearer [redacted]" in report
        assert "c4n4ry" not in report

    def test_reports_what_is_logged_as_an_error_with_its_traceback(
        self, recorder: Recorder
    ) -> None:
        configure_logs("info", json=True, stream=io.StringIO())
        start_sentry(
            "https://key@sentry.example/1", environment="test", release="1", transport=recorder
        )
        log = structlog.get_logger("medici.jobs")
        try:
            raise RuntimeError(f"vendor said Bearer {CANARY}")
        except RuntimeError as fault:
            log.error("job.failed_unexpectedly", exc_info=fault)
        log.info("job.begun")

        (envelope,) = recorder.sent
        report = envelope.serialize().decode()
        assert '"type":"RuntimeError"' in report
        assert "c4n4ry" not in report

    def test_stays_silent_without_a_dsn(self, recorder: Recorder) -> None:
        start_sentry("", environment="test", release="1", transport=recorder)

        sentry_sdk.capture_message("unheard")

        assert recorder.sent == []
