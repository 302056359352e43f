"""Logs: one JSON line per event, ours and the libraries', without secrets."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from medici.kernel.telemetry.logs import configure_logs

CANARY = "c4n4ry" * 8


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

    def test_a_logger_is_still_heard_after_logs_are_set_up_again(self, stream: io.StringIO) -> None:
        log = structlog.get_logger("medici.jobs")
        log.warning("job.lost")  # from now on it is bound to what it found
        configure_logs("info", json=True, stream=stream)

        with structlog.testing.capture_logs() as heard:
            log.warning("job.kind_unknown")

        assert [event["event"] for event in heard] == ["job.kind_unknown"]

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


class Watcher(logging.Handler):
    """Sees the records of ``logging``, as Sentry does."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def watcher(stream: io.StringIO) -> Iterator[Watcher]:
    watcher = Watcher()
    logging.getLogger().addHandler(watcher)
    yield watcher
    logging.getLogger().removeHandler(watcher)


class TestWays:
    def test_what_merely_happened_is_written_without_a_record(
        self, stream: io.StringIO, watcher: Watcher
    ) -> None:
        log = structlog.get_logger("medici.jobs")
        log.debug("job.seen")
        log.info("job.begun")
        log.warning("job.late")

        assert [line["event"] for line in lines(stream)] == ["job.seen", "job.begun", "job.late"]
        assert watcher.records == []

    def test_errors_go_where_watchers_see_them(self, stream: io.StringIO, watcher: Watcher) -> None:
        log = structlog.get_logger("medici.jobs")
        log.error("job.failed", job_id="7")
        log.critical("job.lost")

        seen = [(record.name, record.levelname) for record in watcher.records]
        assert seen == [("medici.jobs", "ERROR"), ("medici.jobs", "CRITICAL")]
        assert [(line["event"], line["level"]) for line in lines(stream)] == [
            ("job.failed", "error"),
            ("job.lost", "critical"),
        ]

    def test_a_fault_is_seen_with_its_traceback(
        self, stream: io.StringIO, watcher: Watcher
    ) -> None:
        fault = ValueError("no")
        structlog.get_logger("medici.jobs").error("job.failed", exc_info=fault)

        (record,) = watcher.records
        assert record.exc_info is not None
        assert record.exc_info[1] is fault
        (line,) = lines(stream)
        assert "ValueError: no" in str(line["exception"])

    def test_a_fault_that_is_being_handled_is_seen_too(
        self, stream: io.StringIO, watcher: Watcher
    ) -> None:
        fault = ValueError("no")
        try:
            raise fault
        except ValueError:
            structlog.get_logger("medici.jobs").exception("job.failed")

        (record,) = watcher.records
        assert record.exc_info is not None
        assert record.exc_info[1] is fault
        assert len(lines(stream)) == 1

    @pytest.mark.parametrize("method", ["debug", "info", "warning"])
    def test_a_stream_that_nobody_reads_stops_no_work(
        self, stream: io.StringIO, method: str
    ) -> None:
        stream.close()

        getattr(structlog.get_logger("medici.jobs"), method)("job.begun")

    def test_a_pipe_that_broke_stops_no_work(self) -> None:
        configure_logs("info", json=True, stream=Broken())

        structlog.get_logger("medici.jobs").info("job.begun")


class Broken(io.StringIO):
    """A pipe whose reader has gone."""

    def write(self, text: str, /) -> int:
        raise BrokenPipeError
