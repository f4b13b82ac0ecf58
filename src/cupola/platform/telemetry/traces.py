"""Traces by OpenTelemetry, when the extra `telemetry` is installed and the operator named a collector.

OTEL_EXPORTER_OTLP_ENDPOINT switches them on; without it nothing is loaded and nothing is sent anywhere.
"""

from __future__ import annotations

import importlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cupola.kernel.errors import Kind, Problem

log = logging.getLogger("cupola.telemetry")
_tracer: Any = None


def begin(service: str) -> None:
    """Start to trace where it is wanted. Raises Problem when it is wanted and the extra is missing."""
    global _tracer
    if not os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or _tracer is not None:
        return
    try:
        trace = importlib.import_module("opentelemetry.trace")
        sdk = importlib.import_module("opentelemetry.sdk.trace")
        export = importlib.import_module("opentelemetry.sdk.trace.export")
        resources = importlib.import_module("opentelemetry.sdk.resources")
        otlp = importlib.import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    except ImportError as error:
        raise Problem(
            Kind.UNSUPPORTED,
            "telemetry-missing",
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but the packages that trace are not installed.",
            remedy="pip install 'cupola[telemetry]', or unset OTEL_EXPORTER_OTLP_ENDPOINT.",
        ) from error
    provider = sdk.TracerProvider(resource=resources.Resource.create({"service.name": service}))
    provider.add_span_processor(export.BatchSpanProcessor(otlp.OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    _tracer = provider.get_tracer("cupola")
    log.info("traces go to %s", os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"])


def end() -> None:
    """Send what is left."""
    global _tracer
    if _tracer is not None:
        importlib.import_module("opentelemetry.trace").get_tracer_provider().shutdown()
        _tracer = None


@contextmanager
def span(name: str, **attributes: str | int | float) -> Iterator[Any]:
    """One step of a trace; costs next to nothing while nobody traces. Attributes never name a tenant or person."""
    if _tracer is None:
        yield None
        return
    with _tracer.start_as_current_span(name, attributes=attributes) as found:
        yield found
