"""Addresses as people write them: with spaces and letters of any script, which a request must carry encoded."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urlsplit

_stray_percent = re.compile(r"%(?![0-9A-Fa-f]{2})")
_authority = re.compile(r"(https?://)([^/?#]*)(.*)\Z", re.IGNORECASE | re.DOTALL)
# Everything that may stand in an address as it is; what is encoded already stays so.
_SAFE = "!#$%&'()*+,-./:;=?@[]_~"


def encoded(url: str) -> str:
    """The same address, as a request carries it: "https://x.org/Grüße 1.png" -> "https://x.org/Gr%C3%BC%C3%9Fe%201.png".

    Control characters stay as they are, for whoever checks addresses to refuse.
    """
    found = _authority.match(url.strip(" \t\r\n"))
    if found is None:
        return url
    scheme, host, rest = found.groups()
    if not host.isascii():
        try:
            name, colon, port = host.partition(":")
            host = name.encode("idna").decode() + colon + port
        except UnicodeError:
            return url  # refused as no address
    controls = "".join(char for char in rest if ord(char) < 32 or ord(char) == 127)
    return scheme + host + quote(_stray_percent.sub("%25", rest), safe=_SAFE + controls + "\\")


def file_name(url: str) -> str:
    """The name of the file that an address leads to, which promises what it is."""
    try:
        return unquote(urlsplit(url).path).rpartition("/")[2]
    except ValueError:
        return ""
