"""Logs: one JSON line per event, ours and the libraries', without secrets."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from structlog.stdlib import ProcessorFormatter

from medici.kernel.telemetry.logs import configure_logs

CANARY = "c4n4ry" * 8


@pytest.fixture(autouse=True)
def logging_restored() -> Iterator[None]:
    root = logging.getLogger()
    level = root.level
    yield
    root.handlers = [it for it in root.handlers if not isinstance(it.formatter, ProcessorFormatter)]
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def stream() -> io.StringIO:
    stream = io.StringIO()
    configure_logs("debug", json=True, stream=stream)
    return stream


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


class TestConfigureLogs:
    def test_writes_one_json_line_with_what_the_request_shares(self, stream: io.StringIO) -> None:
        structlog.contextvars.bind_contextvars(request_id="r-1")

        structlog.get_logger("medici.rendering").info("render.dispatched", attempt=2)

        (line,) = lines(stream)
        assert str(line.pop("timestamp")).endswith("Z")
        assert line == {
            "event": "render.dispatched",
            "level": "info",
            "logger": "medici.rendering",
            "request_id": "r-1",
            "attempt": 2,
        }

    def test_takes_in_what_libraries_log(self, stream: io.StringIO) -> None:
        logging.getLogger("somebody").warning("lost %s", "https://a.example/?k=v")

        (line,) = lines(stream)
        assert (line["event"], line["level"], line["logger"]) == (
            "lost https://a.example/?[redacted]",
            "warning",
            "somebody",
        )

    def test_tells_no_secret_at_any_level(self, stream: io.StringIO) -> None:
        log = structlog.get_logger()
        structlog.contextvars.bind_contextvars(cookie=CANARY)
        for told in (log.debug, log.info, log.warning, log.error, logging.getLogger("x").error):
            told(f"Bearer {CANARY}")
        log.info("fields", token=CANARY, url=f"https://a.example/?s={CANARY}", raw=CANARY.encode())
        try:
            raise ValueError(f"vendor said sk-{CANARY}")
        except ValueError:
            log.exception("failed")
            logging.getLogger("x").exception("failed")

        assert len(lines(stream)) == 8
        assert "c4n4ry" not in stream.getvalue()

    def test_cannot_be_made_to_forge_a_line(self, stream: io.StringIO) -> None:
        evil = 'a\r\n{"event":"forged"}\x1b[2J\u2028\u0085'

        structlog.get_logger().info(evil, field=evil, nested={evil: [evil]})
        logging.getLogger("x").info(evil)

        assert len(lines(stream)) == 2
        assert stream.getvalue().count("\n") == 2
        assert not set(stream.getvalue()) & set("\r\x1b\u2028\u0085")

    def test_survives_what_json_cannot_say(self, stream: io.StringIO) -> None:
        structlog.get_logger().info("odd", number=10**30, nan=float("nan"), thing=object())

        (line,) = lines(stream)
        assert (line["number"], line["nan"]) == ("[large number]", None)

    def test_speaks_to_people_where_asked(self) -> None:
        stream = io.StringIO()
        configure_logs("INFO", json=False, stream=stream)

        structlog.get_logger().info("server.started", port=8000, token=CANARY)
        structlog.get_logger().debug("unheard")

        assert "server.started" in stream.getvalue()
        assert "port=8000" in stream.getvalue()
        assert "unheard" not in stream.getvalue()
        assert "c4n4ry" not in stream.getvalue()
