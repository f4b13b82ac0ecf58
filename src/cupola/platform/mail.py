"""Mail, by the server that the operator names: CUPOLA_SMTP_URL. Without one, no mail is sent and none is promised.

smtp://user:password@host:587?from=cupola@example.org (STARTTLS where the server offers it; always with a password), or
smtps://… for TLS from the first byte.
"""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from dataclasses import dataclass
from email.errors import MessageError
from email.message import EmailMessage
from urllib.parse import parse_qs, unquote, urlsplit

from cupola.kernel.errors import Problem, invalid

TIMEOUT_S = 20.0
_PORTS = {"smtp": 25, "smtps": 465}


@dataclass(frozen=True, slots=True)
class Server:
    host: str
    port: int
    tls: bool
    user: str
    password: str
    sender: str


def server_of(url: str) -> Server:
    """Raises Problem (INVALID) for an address of a server that cannot be one."""
    place = "CUPOLA_SMTP_URL"
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise _wrong(place) from error
    sender = parse_qs(parts.query).get("from", [""])[0]
    if parts.scheme not in _PORTS or not parts.hostname or "@" not in sender:
        raise _wrong(place)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return Server(parts.hostname, port, parts.scheme == "smtps", user, password, sender)


def _wrong(place: str) -> Problem:
    return invalid(
        "smtp-url-invalid",
        f"{place} names no mail server.",
        place=place,
        remedy="Write smtp://user:password@host:587?from=cupola@example.org",
    )


async def send(url: str, to: str, subject: str, text: str, headers: dict[str, str]) -> str | None:
    """Send one mail; what went wrong, or None."""
    try:
        await asyncio.to_thread(_send, server_of(url), to, subject, text, headers)
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()), (0, b""))
        return f"The mail server refused the address: {code} {said.decode(errors='replace')}"
    except (smtplib.SMTPException, MessageError, OSError, ValueError) as error:
        return f"The mail server could not be used: {error}"
    except Problem as problem:
        return problem.detail
    return None


def _send(server: Server, to: str, subject: str, text: str, headers: dict[str, str]) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = server.sender, to, subject
    for name, value in headers.items():
        message[name] = value
    message.set_content(text)
    context = ssl.create_default_context()
    client: smtplib.SMTP
    if server.tls:
        client = smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_S, context=context)
    else:
        client = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)
    with client:
        client.ehlo()
        if not server.tls and (client.has_extn("starttls") or server.password):
            client.starttls(context=context)  # a password never goes out in the clear
            client.ehlo()
        if server.password:
            client.login(server.user, server.password)
        client.send_message(message)
