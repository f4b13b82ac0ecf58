"""Metrics in Prometheus's form. Each stands here once, with its unit in its name; who counts imports it from here.

No label ever names a tenant, a person or a task: whoever may read the figures may not learn who works for whom.
"""

from __future__ import annotations

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

REQUEST_SECONDS = Histogram(
    "cupola_request_seconds", "Time to the first byte of the answer.", ("method", "route", "status"), buckets=_SECONDS
)
REQUESTS_WAITING = Gauge("cupola_requests_waiting", "Requests that wait for their turn.")
CONNECTIONS_HALF_OPEN = Gauge("cupola_connections_half_open", "Connections in the middle of a request's head.")
BODIES_HELD_BYTES = Gauge("cupola_bodies_held_bytes", "Bytes of request bodies in memory.")
POOL = Gauge("cupola_database_pool", "Connections to the database.", ("role", "state"))
EVENTS_HANDLED = Counter(
    "cupola_events_handled", "Events that this process has handed to a consumer.", ("consumer", "kind")
)
EVENT_LAG_SECONDS = Gauge(
    "cupola_event_lag_seconds", "Age of the oldest event that a consumer may still have to hear.", ("consumer",)
)
ASIDE = Gauge("cupola_projects_set_aside", "Projects a consumer could not serve; tried again later.", ("consumer",))
JOBS = Gauge("cupola_jobs", "Slow jobs by their state.", ("job", "state"))
JOB_AGE_SECONDS = Gauge("cupola_job_oldest_seconds", "How long the oldest waiting job has waited.", ("job",))
PROCESSES = Gauge("cupola_processes", "Processes of this instance that show a sign of life.", ("role",))


def exposition() -> bytes:
    """All of them as text, with those of the process itself (memory, CPU, open files)."""
    return generate_latest(REGISTRY)
