"""The public client of Scale's interface, unmodified, speaking with Cupola."""

from __future__ import annotations

from cupola.kernel.errors import Kind, Problem

try:
    import scaleapi
except ImportError as error:
    raise Problem(
        Kind.UNSUPPORTED, "client-missing", "The package scaleapi is not installed.", remedy="Run: pip install scaleapi"
    ) from error


def scale_client(url: str, key: str, *, verify: str | None = None) -> scaleapi.ScaleClient:
    """A client whose v1 and v2 both speak with the instance at `url`; verify: a certificate file to trust.

    Both hosts are set, so that the key never leaves for another place.
    """
    base = url.rstrip("/")
    client = scaleapi.ScaleClient(key, api_instance_url=f"{base}/v1", verify=verify)
    configuration = client.v2.api_client.configuration
    configuration.host = base
    if verify is not None:
        configuration.ssl_ca_cert = verify
    return client
