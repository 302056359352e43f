"""Counters and timings for Prometheus. One ``Metrics`` per process, made at start and passed on."""

from prometheus_client import (
    CollectorRegistry,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)  # seconds
SLOW = (0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900)


class Metrics:
    """What is counted. Labels take few values each: route templates, never paths or ids."""

    content_type = CONTENT_TYPE_PLAIN_0_0_4

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._requests = Histogram(
            "medici_http_request_seconds",
            "Time to answer a request",
            ("method", "route", "status"),
            buckets=FAST,
            registry=registry,
        )
        self._requests_open = Gauge(
            "medici_http_requests_open", "Requests being answered now", registry=registry
        )
        self._jobs_waiting = Gauge(
            "medici_jobs_waiting", "Jobs that are due and not begun", ("queue",), registry=registry
        )
        self._jobs_oldest = Gauge(
            "medici_jobs_oldest_seconds", "Age of the oldest due job", ("queue",), registry=registry
        )
        self._job_runs = Histogram(
            "medici_job_run_seconds",
            "Time that one run of a job took",
            ("task", "outcome"),
            buckets=SLOW,
            registry=registry,
        )
        self._attempts = Histogram(
            "medici_render_attempt_seconds",
            "Time from the start of an attempt at a provider to its end",
            ("provider", "outcome"),
            buckets=SLOW,
            registry=registry,
        )

    def request_began(self) -> None:
        self._requests_open.inc()

    def request_ended(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request; ``route`` is the template, or ``unknown``."""
        known = method if method in METHODS else "OTHER"
        self._requests_open.dec()
        self._requests.labels(known, route, str(status)).observe(seconds)

    def queue_seen(self, queue: str, *, waiting: int, oldest_seconds: float) -> None:
        """Note the depth of a queue as just read from the database."""
        self._jobs_waiting.labels(queue).set(waiting)
        self._jobs_oldest.labels(queue).set(oldest_seconds)

    def job_ran(self, task: str, *, outcome: str, seconds: float) -> None:
        self._job_runs.labels(task, outcome).observe(seconds)

    def attempt_ended(self, provider: str, *, outcome: str, seconds: float) -> None:
        """Count one attempt; ``outcome`` is ``succeeded`` or a failure's code."""
        self._attempts.labels(provider, outcome).observe(seconds)

    def render(self) -> bytes:
        """Return everything in Prometheus' text format, to be sent as ``content_type``."""
        return generate_latest(self.registry)
