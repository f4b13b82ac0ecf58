"""Settings: environment variables named CUPOLA_…, read once at the start."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path

from cupola.kernel.errors import invalid
from cupola.platform import address, secret
from cupola.platform.mail import server_of


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator decides. Nothing else is configurable.

    data_dir: everything of one instance on this machine (embedded Postgres, blobs, the secret).
    database_url: a Postgres of your own; None means the embedded one. blobs_url: "s3://bucket/prefix" or None for a
    folder. secret: key of all signatures. allowed_hosts: private hosts that imports and webhooks may reach.
    import_roots: folders of the server that requesters may import from. fee_bp, insurance_bp: one schedule for all.
    """

    data_dir: Path
    database_url: str | None
    blobs_url: str | None
    secret: bytes
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str = "http://127.0.0.1:8000"
    allowed_hosts: tuple[str, ...] = ()
    import_roots: tuple[Path, ...] = ()
    fee_bp: int = 1_000
    insurance_bp: int = 500
    secure_cookies: bool = False
    smtp_url: str | None = None  # see platform.mail; None: no mail is sent
    revive: bool = True  # start an embedded database again that has died
    metrics_token: str | None = None  # who may read /metrics from elsewhere; None: this machine alone
    trusted_proxies: tuple[str, ...] = ()  # addresses or networks whose X-Forwarded-For is believed

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose, so that no two uses share a key."""
        return hmac.new(self.secret, purpose.encode(), hashlib.sha256).digest()

    @property
    def seal(self) -> bytes:
        """What the database keeps of the secret, see `platform.pg.seal`."""
        return self.derive("seal of the instance")

    @property
    def database_password(self) -> str:
        return self.derive("database login").hex()


def default_data_dir() -> Path:
    return Path(os.environ.get("CUPOLA_DATA", "./.cupola")).resolve()


def load(
    data_dir: Path | None = None, *, host: str | None = None, port: int | None = None, public_url: str | None = None
) -> Settings:
    """Read the environment; arguments win over it. Makes the data folder and its secret when they are missing."""
    folder = (data_dir or default_data_dir()).resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o711)
    a_host = host or os.environ.get("CUPOLA_HOST", "127.0.0.1")
    a_port = port if port is not None else _whole("CUPOLA_PORT", 8000)
    url = public_url or os.environ.get("CUPOLA_PUBLIC_URL") or f"http://{a_host}:{a_port}"
    return Settings(
        data_dir=folder,
        database_url=os.environ.get("CUPOLA_DATABASE_URL") or None,
        blobs_url=os.environ.get("CUPOLA_BLOBS_URL") or None,
        secret=secret.read(folder),
        host=a_host,
        port=a_port,
        public_url=url.rstrip("/"),
        allowed_hosts=_several("CUPOLA_ALLOWED_HOSTS"),
        import_roots=tuple(Path(p).resolve() for p in _several("CUPOLA_IMPORT_ROOTS")),
        fee_bp=_whole("CUPOLA_FEE_BP", 1_000),
        insurance_bp=_whole("CUPOLA_INSURANCE_BP", 500),
        secure_cookies=url.startswith("https://"),
        smtp_url=_mail_server(os.environ.get("CUPOLA_SMTP_URL", "")),
        revive=os.environ.get("CUPOLA_REVIVE", "1") != "0",
        metrics_token=os.environ.get("CUPOLA_METRICS_TOKEN") or None,
        trusted_proxies=_networks("CUPOLA_TRUSTED_PROXIES"),
    )


def load_beside(data_dir: Path | None = None) -> Settings:
    """As `load`, for what runs beside a server: links carry the address that the server noted."""
    folder = (data_dir or default_data_dir()).resolve()
    told = any(os.environ.get(name) for name in ("CUPOLA_PUBLIC_URL", "CUPOLA_HOST", "CUPOLA_PORT"))
    return load(folder, public_url=None if told else address.noted(folder))


def server_url() -> str:
    """The server that commands ask unless told: the one that ran last on this folder, or the usual address."""
    return address.noted(default_data_dir()) or "http://127.0.0.1:8000"


def _mail_server(url: str) -> str | None:
    if url:
        server_of(url)  # a wrong one is told at the start, not with the first mail
    return url or None


def _several(name: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in os.environ.get(name, "").split(",") if part.strip())


def _networks(name: str) -> tuple[str, ...]:
    found = _several(name)
    for text in found:
        try:
            ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise invalid(
                "setting-not-a-network",
                f"{name} names {text!r}, which is neither an address nor a network.",
                place=name,
                remedy="Write addresses or networks with commas between them: 10.0.0.7, 192.168.0.0/16.",
            ) from None
    return found


def _whole(name: str, default: int) -> int:
    text = os.environ.get(name, "")
    if not text:
        return default
    if not text.isdigit():
        raise invalid("setting-not-a-number", f"{name} is {text!r}; it takes a whole number.", place=name)
    return int(text)
