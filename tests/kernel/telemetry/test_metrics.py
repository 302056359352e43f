"""Metrics: what happened is counted, in a registry of one's own."""

from prometheus_client.parser import text_string_to_metric_families

from medici.kernel.telemetry.metrics import Metrics


def read(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
    }


def labels(**pairs: str) -> frozenset[tuple[str, str]]:
    return frozenset(pairs.items())


class TestMetrics:
    def test_counts_requests_by_route_and_status(self) -> None:
        metrics = Metrics()
        metrics.request_began()
        metrics.request_began()
        metrics.request_ended(method="GET", route="/v1/plans", status=200, seconds=0.02)

        told = read(metrics)

        where = labels(method="GET", route="/v1/plans", status="200")
        assert told["medici_http_request_seconds_count", where] == 1
        assert told["medici_http_request_seconds_sum", where] == 0.02
        assert told["medici_http_requests_open", frozenset()] == 1

    def test_gives_made_up_methods_no_label_of_their_own(self) -> None:
        metrics = Metrics()
        for method in ("BREW", "X" * 1000):
            metrics.request_began()
            metrics.request_ended(method=method, route="unknown", status=405, seconds=0)

        where = labels(method="OTHER", route="unknown", status="405")
        assert read(metrics)["medici_http_request_seconds_count", where] == 2

    def test_counts_jobs_and_renders(self) -> None:
        metrics = Metrics()
        metrics.queue_seen("default", waiting=7, oldest_seconds=1.5)
        metrics.job_ran("rendering.dispatch", outcome="done", seconds=0.2)
        metrics.attempt_ended("local", outcome="succeeded", seconds=3)

        told = read(metrics)

        assert told["medici_jobs_waiting", labels(queue="default")] == 7
        assert told["medici_jobs_oldest_seconds", labels(queue="default")] == 1.5
        job = labels(task="rendering.dispatch", outcome="done")
        assert told["medici_job_run_seconds_count", job] == 1
        attempt = labels(provider="local", outcome="succeeded")
        assert told["medici_render_attempt_seconds_sum", attempt] == 3

    def test_shares_nothing_with_another(self) -> None:
        first, second = Metrics(), Metrics()
        first.job_ran("a", outcome="done", seconds=1)

        where = labels(task="a", outcome="done")
        assert ("medici_job_run_seconds_count", where) not in read(second)
