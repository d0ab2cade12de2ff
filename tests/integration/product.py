"""The whole product, `hermes up`, as its users have it: started once, asked over HTTP, killed in parts, started again."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.integration.outside import DECIMAL, HEXADECIMAL, PASSWORD, Outside, until
from tests.unit.egress.mta.certificates import authority, issue

READY_WITHIN_S = 90.0
STOP_WITHIN_S = 15.0
REQUEST_TIMEOUT_S = 10.0
POLL_S = 0.05
DKIM_SELECTOR = "s1"
FINAL = ("delivered", "exhausted", "expired", "cancelled")

CONFIG = """
[gateway]
http_port = 0
smpp_port = 0
smtp_port = 0
smtp_inbound = true
smpp_tls_port = 0
smtp_tls_port = 0
tls_certificate_file = "chain.pem"
tls_key_file = "key.pem"
[egress]
webhooks_allow_private = true
[[carriers]]
name = "decimal"
host = "127.0.0.1"
port = {smsc_port}
system_id = "{decimal}"
password = "{password}"
[[carriers]]
name = "hexadecimal"
host = "127.0.0.1"
port = {smsc_port}
system_id = "{hexadecimal}"
password = "{password}"
[[routes]]
prefix = "+4599"
carrier = "sandbox"
price_micros = 30_000
cost_micros = 12_000
[[routes]]
prefix = "+4520"
carrier = "decimal"
price_micros = 40_000
[[routes]]
prefix = "+4521"
carrier = "hexadecimal"
price_micros = 50_000
[mta]
hostname = "mta.acme.example"
mx = {{ "*" = "127.0.0.1:{mail_port}" }}
nameservers = ["127.0.0.1:{dns_port}"]
return_path_domain = "back.example"
return_path_secret = "not so secret here"
[[mta.dkim]]
domain = "acme.example"
selector = "s1"
private_key_file = "dkim.pem"
[[tenants]]
name = "Acme"
tier = "business"
from_domain = "acme.example"
numbers = ["1245"]
sender_id = "Acme"
balance_micros = 100_000_000
webhook_url = "http://127.0.0.1:{callback_port}/callbacks"
[[tenants]]
name = "Crash"
tier = "enterprise"
from_domain = "crash.example"
sender_id = "Crash"
balance_micros = 1_000_000_000
[[tenants]]
name = "Poor"
from_domain = "poor.example"
sender_id = "Poor"
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; `json` is the body read, None for an empty one."""

    status: int
    headers: dict[str, str]
    json: Any


@dataclass(slots=True)
class Product:
    """`hermes up` over one state directory. `ready` is the ready document as it was when it was read last."""

    home: Path
    world: Outside
    ready: dict[str, Any] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None

    def write_settings(self) -> None:
        """The settings and the DKIM key are in the folder."""
        key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (self.home / "dkim.pem").write_bytes(pem)
        ca = authority()
        issue(ca, "localhost").write(self.home)
        (self.home / "ca.pem").write_bytes(ca.certificate.public_bytes(Encoding.PEM))
        world = self.world
        text = CONFIG.format(
            smsc_port=world.smsc_port, mail_port=world.mail_port, callback_port=world.callback_port,
            dns_port=world.dns_port,
            decimal=DECIMAL, hexadecimal=HEXADECIMAL, password=PASSWORD,
        )  # fmt: skip
        (self.home / "hermes.toml").write_text(text)

    def start(self) -> None:
        """Start, and wait until everything answers."""
        (self.home / "ready.json").unlink(missing_ok=True)
        command = [sys.executable, "-P", "-m", "streams.cli", "up", "--json", "--config", "hermes.toml"]
        with (self.home / "out").open("ab") as out:
            self.process = subprocess.Popen(  # noqa: S603 - our own command
                [*command, "--state", "state", "--ready-file", "ready.json"], cwd=self.home, stdout=out, stderr=out
            )
        self.ready = self._wait_ready(set())

    def stop(self) -> int:
        """Stop by SIGTERM; the exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_WITHIN_S)
        finally:
            self.process.kill()
            self.process.wait()

    def kill(self, name: str) -> None:
        """End one process by SIGKILL and wait until the supervisor has all of them ready again."""
        gone = int(self.ready["processes"][name])
        os.kill(gone, signal.SIGKILL)
        self.ready = self._wait_ready({gone})

    def tenant(self, name: str) -> dict[str, Any]:
        """A tenant of the ready document, by name."""
        found: dict[str, Any] = next(t for t in self.ready["tenants"] if t["name"] == name)
        return found

    def client(self, tenant: str) -> "Client":
        """A client with the tenant's live key."""
        return Client(self.ready["http"], self.tenant(tenant)["api_key"])

    def log(self, role: str) -> list[dict[str, Any]]:
        """The events that a role logged since the state directory was made."""
        lines = (self.home / "state" / "logs" / f"{role}.log").read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def metrics(self, role: str) -> str:
        """The role's metrics as Prometheus reads them."""
        connection = http.client.HTTPConnection(self.ready["metrics_by_role"][role], timeout=REQUEST_TIMEOUT_S)
        connection.request("GET", "/metrics")
        try:
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def _wait_ready(self, unlike: set[int]) -> dict[str, Any]:
        file = self.home / "ready.json"
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline and self.process is not None and self.process.poll() is None:
            if file.exists():
                found: dict[str, Any] = json.loads(file.read_text())
                if not unlike & set(found["processes"].values()):
                    return found
            time.sleep(POLL_S)
        raise AssertionError((self.home / "out").read_text()[-8_000:])


@dataclass(frozen=True, slots=True)
class Client:
    """An API client as a tenant would write it."""

    place: str
    key: str

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """One request; ConnectionError or TimeoutError when the gateway is away."""
        sent = {"Authorization": f"Bearer {self.key}", **{n.replace("_", "-"): v for n, v in headers.items()}}
        octets = None if body is None else json.dumps(body).encode()
        if octets is not None:
            sent["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection(self.place, timeout=REQUEST_TIMEOUT_S)
        try:
            connection.request(method, path, octets, sent)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        plain = "json" in response.headers.get("Content-Type", "")
        found = (json.loads(content) if plain else content.decode()) if content else None
        return Answer(response.status, dict(response.headers), found)

    def send(self, body: object, **headers: str) -> Answer:
        """POST /v1/messages/send."""
        return self.call("POST", "/v1/messages/send", body, **headers)

    def accepted(self, body: object, **headers: str) -> str:
        """Send what must be accepted; the message's id."""
        answer = self.send(body, **headers)
        assert answer.status == 202, answer
        message_id: str = answer.json["message_id"]
        return message_id

    def show(self, message_id: str) -> dict[str, Any]:
        """GET the message."""
        answer = self.call("GET", f"/v1/messages/{urllib.parse.quote(message_id)}")
        assert answer.status == 200, answer
        found: dict[str, Any] = answer.json
        return found

    def ended(self, message_id: str, wait_s: float = 20.0) -> dict[str, Any]:
        """The message, once it is final."""

        def final() -> dict[str, Any] | None:
            found = self.show(message_id)
            return found if found["status"]["state"] in FINAL else None

        return until(final, wait_s) or {}


def sms(phone: str, text: str = "Your parcel is here", **more: object) -> dict[str, object]:
    """A body that sends a text message straight away."""
    return {
        "to": {"type": "phone", "phone": phone},
        "body": {"text": text},
        "routing": {"type": "direct", "direct_channel": "sms"},
        **more,
    }


def email(address: str, text: str = "Your parcel is here", **more: object) -> dict[str, object]:
    """A body that sends a mail straight away."""
    return {
        "to": {"type": "email", "email": address},
        "body": {"text": text, "subject": "Your parcel"},
        "routing": {"type": "direct", "direct_channel": "email"},
        **more,
    }


def cascade(phone: str, address: str, text: str, *channels: dict[str, object], **more: object) -> dict[str, object]:
    """A body with an inline cascade."""
    return {
        "to": {"type": "multi", "phone": phone, "email": address},
        "body": {"text": text, "subject": "Your parcel"},
        "routing": {"type": "channels", "channels": list(channels)},
        **more,
    }
