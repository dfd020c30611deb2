"""A mail server and a web server of our own, on this machine, to be told how to misbehave."""

import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def certificate(folder: Path) -> Path:
    """A key and a certificate for 127.0.0.1 in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "mail.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(built.public_bytes(serialization.Encoding.PEM) + private)
    return file


@dataclass
class Mails:
    """What the mail server was told, and how it behaves."""

    port: int = 0
    tls: Path | None = None
    silent_after_data: bool = False
    refuses: frozenset[str] = frozenset()
    received: list[tuple[str, list[str], bytes, bool]] = field(default_factory=list)


class _Conversation(socketserver.StreamRequestHandler):
    mails: Mails

    def handle(self) -> None:
        self.encrypted, self.sender, self.to = False, "", list[str]()
        self._say("220 mail.example ESMTP")
        while line := self.rfile.readline().decode("ascii", "replace").strip():
            if any(refused in line for refused in self.mails.refuses):
                self._say("550 no such person")
            elif not self._answered(line, line.split(":")[0].split()[0].upper()):
                return

    def _answered(self, line: str, word: str) -> bool:
        """False if the conversation is over."""
        if word == "STARTTLS":
            return self._encrypt()
        if word == "DATA":
            return self._take()
        self.sender = line if word == "MAIL" else self.sender
        self.to = [*self.to, line] if word == "RCPT" else self.to
        offers = word == "EHLO" and self.mails.tls and not self.encrypted
        self._say("250-mail.example\r\n250 STARTTLS" if offers else "250 fine")
        return word != "QUIT"

    def _encrypt(self) -> bool:
        assert self.mails.tls is not None
        self._say("220 go on")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.mails.tls)
        try:
            self.connection = context.wrap_socket(self.connection, server_side=True)
        except OSError:  # they did not believe who we are
            return False
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self.encrypted = True
        return True

    def _take(self) -> bool:
        self._say("354 go on")
        content = b"".join(iter(self.rfile.readline, b".\r\n"))
        self.mails.received.append((self.sender, self.to, content, self.encrypted))
        if self.mails.silent_after_data:
            return False
        self._say("250 taken")
        return True

    def finish(self) -> None:
        super().finish()
        self.connection.close()

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())
        self.wfile.flush()


@contextmanager
def mail_server(mails: Mails) -> Iterator[Mails]:
    """Run one on a free port of this machine."""
    handler = type("Conversation", (_Conversation,), {"mails": mails})
    with _running(socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)) as port:
        mails.port = port
        yield mails


@dataclass
class Posts:
    """What the web server was told, and what it answers (0: it hangs up)."""

    url: str = ""
    status: int = 204
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def web_server(posts: Posts) -> Iterator[Posts]:
    """Run one on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            posts.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
            if posts.status:
                self.send_response(posts.status)
                self.send_header("content-length", "0")
                self.end_headers()
            else:
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            del format, args

    with _running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        posts.url = f"http://127.0.0.1:{port}/alerts"
        yield posts


@contextmanager
def _running(server: socketserver.TCPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
