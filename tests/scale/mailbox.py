"""A real mail server on a port of its own: it takes what it is sent, or refuses addresses that begin with "no-"."""

from __future__ import annotations

import email
import email.policy
import socketserver
import threading
from dataclasses import dataclass, field
from email.message import EmailMessage


@dataclass
class Mailbox:
    """down: answers for the first connections before any is taken; 421 is a server that is busy."""

    down: int = 0
    got: list[EmailMessage] = field(default_factory=list)
    receivers: list[str] = field(default_factory=list)
    _server: socketserver.ThreadingTCPServer | None = None

    def __enter__(self) -> Mailbox:
        mailbox = self

        class Session(socketserver.StreamRequestHandler):
            def say(self, line: str) -> None:
                self.wfile.write(line.encode() + b"\r\n")

            def handle(self) -> None:
                if mailbox.down > 0:
                    mailbox.down -= 1
                    self.say("421 come back later")
                    return
                self.say("220 mailbox")
                to: list[str] = []
                while line := self.rfile.readline():
                    verb = line.decode().strip()
                    if verb.upper().startswith(("EHLO", "HELO")):
                        self.say("250 mailbox")
                    elif verb.upper().startswith("RCPT"):
                        address = verb.partition("<")[2].partition(">")[0]
                        if address.startswith("no-"):
                            self.say("550 nobody of that name")
                        else:
                            to.append(address)
                            self.say("250 ok")
                    elif verb.upper() == "DATA":
                        self.say("354 go on")
                        lines = []
                        while (part := self.rfile.readline()) not in (b".\r\n", b""):
                            lines.append(part[1:] if part.startswith(b"..") else part)
                        policy = email.policy.default
                        message = email.message_from_bytes(b"".join(lines), _class=EmailMessage, policy=policy)
                        mailbox.got.append(message)
                        mailbox.receivers += to
                        self.say("250 taken")
                    elif verb.upper() == "QUIT":
                        self.say("221 bye")
                        return
                    else:
                        self.say("250 ok")

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        self._server = Server(("127.0.0.1", 0), Session)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"smtp://127.0.0.1:{self._server.server_address[1]}?from=cupola@example.org"

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()
