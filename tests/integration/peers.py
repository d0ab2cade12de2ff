"""Mail hosts that misbehave, on loopback, and certificates for those that do TLS."""

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

Talk = Callable[["Peer"], Awaitable[None]]


class Peer:
    """The server's end of one connection, for a script to use."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self.heard: list[bytes] = []

    async def say(self, line: str) -> None:
        """Send `line` and CRLF."""
        self.writer.write(line.encode() + b"\r\n")
        await self.writer.drain()

    async def hear(self) -> bytes:
        """The next line, empty at the end."""
        line = (await self._reader.readline()).rstrip(b"\r\n")
        self.heard.append(line)
        return line

    async def hear_message(self) -> bytes:
        """All up to the single dot."""
        return await self._reader.readuntil(b"\r\n.\r\n")

    async def greet(self, *extensions: str) -> None:
        """Greeting and EHLO."""
        await self.say("220 mx.test ESMTP")
        await self.hear()
        lines = ["mx.test", *extensions]
        for line in lines[:-1]:
            await self.say(f"250-{line}")
        await self.say(f"250 {lines[-1]}")

    async def answer(self, *answers: str) -> None:
        """Hear a line and give an answer, for each answer."""
        for line in answers:
            await self.hear()
            await self.say(line)

    async def hang_up(self) -> None:
        """Close at once."""
        self.writer.transport.abort()
        await asyncio.sleep(0)

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Go on encrypted."""
        await self.writer.start_tls(context)


@asynccontextmanager
async def peer(*talks: Talk) -> AsyncIterator[str]:
    """`host:port` of a server that follows one of `talks` on each connection, the last of them ever after."""
    serving: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, talk: Talk) -> None:
        try:
            await talk(Peer(reader, writer))
        except (OSError, asyncio.IncompleteReadError):
            return  # the client left, as some tests want
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = talks[min(len(serving), len(talks) - 1)]
        serving.append(asyncio.create_task(serve(reader, writer, talk)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in serving:
            task.cancel()
        results = await asyncio.gather(*serving, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result


def self_signed(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server context with a self-signed certificate for 127.0.0.1, and the certificate's file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mx.test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path, key_path = folder / "cert.pem", folder / "key.pem"
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
    key_path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key_path)
    return context, path
