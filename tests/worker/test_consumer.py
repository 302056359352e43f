"""The worker's consumer: it outlives a broker that goes away at a bad moment."""

from structlog.testing import capture_logs

from medici.worker.celery import app
from medici.worker.consumer import Consumer


class HalfGone:
    """A connection that cannot even be closed."""

    connection_errors = channel_errors = (ConnectionError,)
    transport = None

    def collect(self, socket_timeout: float | None = None) -> None:
        raise ConnectionError(socket_timeout)

    def close(self) -> None:
        raise AttributeError("'NoneType' object has no attribute 'hostname'")


class TestConsumer:
    def test_goes_on_without_a_connection_that_cannot_be_closed(self) -> None:
        consumer = Consumer.__new__(Consumer)
        consumer.app, consumer.connection = app, HalfGone()

        with capture_logs() as heard:
            consumer.on_connection_error_after_connected(ConnectionError("gone"))

        assert consumer.connection is None
        assert [event["event"] for event in heard] == ["worker.broker_left_untidily"]

    def test_is_the_one_that_workers_run(self) -> None:
        assert app.conf.worker_consumer == "medici.worker.consumer:Consumer"
