"""A schema registry over loopback, with the answers that the Confluent API reference documents, under its default (BACKWARD)."""

import json
import ssl
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import unquote

JSON = dict[str, Any]


@dataclass
class FakeSchemaRegistry:
    """`answer_next` replaces the next answers, as a registry in trouble would give them; `requests` is what was asked."""

    authorization: str = ""
    tls: ssl.SSLContext | None = None
    first_id: int = 1_001
    subjects: dict[str, list[int]] = field(default_factory=dict)
    schemas: dict[int, str] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    answer_next: list[tuple[int, bytes]] = field(default_factory=list)

    def __enter__(self) -> "FakeSchemaRegistry":
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                """Say nothing."""

            def do_GET(self) -> None:
                self._answer(None)

            def do_POST(self) -> None:
                self._answer(self.rfile.read(int(self.headers["Content-Length"])))

            def _answer(self, body: bytes | None) -> None:
                fake.requests.append((self.command, self.path))
                status, octets = fake.answer(self.path, self.headers.get("Authorization", ""), body)
                self.send_response(status)
                self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
                self.send_header("Content-Length", str(len(octets)))
                if 300 <= status < 400:
                    self.send_header("Location", "http://127.0.0.1:1/stolen")
                self.end_headers()
                self.wfile.write(octets)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if self.tls is not None:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def address(self) -> str:
        """host:port."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def answer(self, path: str, authorization: str, body: bytes | None) -> tuple[int, bytes]:
        """The answer to one request."""
        if self.answer_next:
            return self.answer_next.pop(0)
        if authorization != self.authorization:
            return _error(401, 401, "Unauthorized")
        match path.strip("/").split("/"):
            case ["schemas", "ids", number] if body is None:
                found = self.schemas.get(int(number))
                if found is None:
                    return _error(404, 40403, f"Schema {number} not found")
                return 200, json.dumps({"schema": found}).encode()
            case ["subjects", subject, "versions"] if body is not None:
                return self._register(unquote(subject), json.loads(body))
            case _:
                return _error(404, 404, "HTTP 404 Not Found")

    def _register(self, subject: str, body: JSON) -> tuple[int, bytes]:
        try:
            schema: JSON = json.loads(body["schema"])
        except ValueError:
            return _error(422, 42201, "Invalid schema")
        text = json.dumps(as_java_prints(schema, ""))
        known = self.subjects.setdefault(subject, [])
        for schema_id in known:
            if self.schemas[schema_id] == text:
                return 200, json.dumps({"id": schema_id}).encode()
        if known and not _reads(schema, json.loads(self.schemas[known[-1]])):
            return _error(
                409, 409, f'Schema being registered is incompatible with an earlier schema for subject "{subject}"'
            )
        schema_id = self.first_id + len(self.schemas)
        self.schemas[schema_id] = text
        known.append(schema_id)
        return 200, json.dumps({"id": schema_id}).encode()


def as_java_prints(schema: Any, namespace: str) -> Any:
    """The schema as Avro's Java library, and so a registry, writes it: no namespace where it is that around it."""
    match schema:
        case list():
            return [as_java_prints(branch, namespace) for branch in schema]
        case str():
            return schema.removeprefix(f"{namespace}.") if namespace else schema
        case {"type": "record", **rest}:
            own = str(rest.get("namespace", namespace))
            inner: Any = rest["fields"]
            fields = [{**f, "type": as_java_prints(f["type"], own)} for f in inner]
            kept = {k: v for k, v in rest.items() if k not in {"fields", "namespace"}}
            return {"type": "record", **kept, **({"namespace": own} if own != namespace else {}), "fields": fields}
        case {"type": "array", "items": items}:
            return {"type": "array", "items": as_java_prints(items, namespace)}
        case {"type": "map", "values": values}:
            return {"type": "map", "values": as_java_prints(values, namespace)}
        case _:
            return schema


def _reads(reader: JSON, writer: JSON) -> bool:
    """Whether each field that the writer does not have has a default; the fake looks no deeper."""
    written = {f["name"] for f in writer["fields"]}
    return all(f["name"] in written or "default" in f for f in reader["fields"])


def _error(status: int, code: int, message: str) -> tuple[int, bytes]:
    return status, json.dumps({"error_code": code, "message": message}).encode()
