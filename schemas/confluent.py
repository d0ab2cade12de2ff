"""Schema ids from a Confluent Schema Registry, over its REST API (docs.confluent.io, "Schema Registry API Reference").

Each record type is registered under its full name (the record-name strategy), so that a record has one history whichever
topics it is on. What a registry said is kept for the life of the process: an id never changes its schema.
"""

import base64
import http.client
import json
import ssl
from dataclasses import dataclass, field
from typing import Any, Final, cast
from urllib.parse import quote, unquote, urlsplit

import fastavro
from fastavro.schema import SchemaParseException

from domain.errors import ConfigError, TransientError
from schemas import derive
from schemas.registry import UnknownSchemaError

STEP_TIMEOUT_S: Final = 5.0
"""How long connecting, and each read, may take."""
RETRY_AFTER_MS: Final = 1_000
MAX_ANSWER_OCTETS: Final = 4 * 1024 * 1024
MAX_REASON_CHARS: Final = 300
MAX_ID: Final = 2**31 - 1
"""The registry counts in Java's int."""
CONTENT_TYPE: Final = "application/vnd.schemaregistry.v1+json"

_OK: Final = 200
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409
_TOO_MANY: Final = 429
_SERVER_ERROR: Final = 500
_SCHEMA_NOT_FOUND: Final = 40403
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a registry is. `host`, `port` and `path` may be shown; `authorization` may not."""

    tls: bool
    host: str
    port: int
    path: str
    authorization: str = field(default="", repr=False)

    @classmethod
    def parse(cls, url: str) -> "Place":
        """The place of `http[s]://[user:password@]host[:port][/path]`; ConfigError, without the URL's secrets.

        A user or password may be percent-encoded. They are sent encrypted, or to this machine, or not at all.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError as error:
            raise ConfigError("the schema registry's URL is no URL") from error
        if parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment:
            raise ConfigError("the schema registry's URL is http[s]://[user:password@]host[:port][/path]")
        if not url.isascii() or not url.isprintable() or " " in url:
            raise ConfigError("the schema registry's URL has characters that must be percent-encoded")
        tls, authorization = parts.scheme == "https", ""
        if parts.username is not None:
            if not tls and host not in _LOOPBACK:
                raise ConfigError(f"the password of the schema registry at {host} would be sent in clear: use https")
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            authorization = "Basic " + base64.b64encode(pair.encode()).decode("ascii")  # RFC 7617
        return cls(tls, host, port or (443 if tls else 80), parts.path.rstrip("/"), authorization)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{self.path}"


@dataclass(frozen=True, slots=True)
class ConfluentRegistry:
    """A registry (see `schemas.registry.Registry`). Its certificate is verified against the system's, or `tls`'s, roots.

    Raises, from both methods:
        TransientError: the registry did not answer, or not now.
        ConfigError: it refuses: the log-in, the schema, or a change that it holds to be incompatible.
    """

    place: Place
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    _ids: dict[type, int] = field(init=False, repr=False, default_factory=dict)
    _schemas: dict[int, dict[str, Any]] = field(init=False, repr=False, default_factory=dict)

    @classmethod
    def of(cls, url: str) -> "ConfluentRegistry":
        """The registry at a URL; ConfigError. Nothing is sent yet."""
        return cls(Place.parse(url))

    def id_of(self, value_type: type) -> int:
        """The id of the type's schema, which is registered if the registry does not have it."""
        if value_type not in self._ids:
            subject = f"{derive.NAMESPACE}.{value_type.__name__}"
            schema = derive.schema_of(value_type)
            told = self._ask("POST", f"/subjects/{quote(subject, safe='')}/versions", {"schema": json.dumps(schema)})
            found = told.get("id")
            if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found <= MAX_ID:
                raise ConfigError(f"{self.place} gives no id for {subject}: is it a schema registry?")
            self._ids[value_type] = found
            self._schemas[found] = schema
        return self._ids[value_type]

    def schema_of(self, schema_id: int) -> dict[str, Any]:
        """The record schema behind an id; UnknownSchemaError when there is none."""
        if schema_id not in self._schemas:
            if not 0 <= schema_id <= MAX_ID:
                raise UnknownSchemaError(f"schema id {schema_id} is none that a registry gives")
            self._schemas[schema_id] = _record_of(schema_id, self._ask("GET", f"/schemas/ids/{schema_id}"))
        return self._schemas[schema_id]

    def _ask(self, method: str, path: str, body: dict[str, str] | None = None) -> dict[str, Any]:
        status, octets = self._exchange(method, path, None if body is None else json.dumps(body).encode())
        told = _json_object(octets)
        if status == _OK and told is not None:
            return told
        reason = str((told or {}).get("message", f"status {status}"))[:MAX_REASON_CHARS]
        if status == _NOT_FOUND and told is not None and told.get("error_code") == _SCHEMA_NOT_FOUND:
            raise UnknownSchemaError(f"{self.place}: {reason}")
        if status == _TOO_MANY or status >= _SERVER_ERROR:
            raise TransientError(f"schema registry {self.place}: {reason}", RETRY_AFTER_MS)
        if status == _CONFLICT:
            raise ConfigError(f"{self.place} holds {path} to be incompatible with what is registered: {reason}")
        raise ConfigError(f"{self.place} refuses {method} {path}: {reason}")

    def _exchange(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        """One request on a connection of its own: this is asked once a type, and rarely after. No redirect is followed."""
        place = self.place
        headers = {"Accept": CONTENT_TYPE, "Connection": "close"}
        if body is not None:
            headers["Content-Type"] = CONTENT_TYPE
        if place.authorization:
            headers["Authorization"] = place.authorization
        try:
            connection = self._connection()
            try:
                connection.request(method, place.path + path, body, headers)
                answer = connection.getresponse()
                octets = answer.read(MAX_ANSWER_OCTETS + 1)
            finally:
                connection.close()
        except ssl.SSLCertVerificationError as error:
            raise ConfigError(f"the certificate of {place} is not trusted: {error.verify_message}") from error
        except (OSError, http.client.HTTPException) as error:
            told = f"schema registry {place} does not answer ({type(error).__name__})"
            raise TransientError(told, RETRY_AFTER_MS) from error
        if len(octets) > MAX_ANSWER_OCTETS:
            raise ConfigError(f"{place} answers more than {MAX_ANSWER_OCTETS} octets: is it a schema registry?")
        return answer.status, octets

    def _connection(self) -> http.client.HTTPConnection:
        place = self.place
        if not place.tls:
            return http.client.HTTPConnection(place.host, place.port, timeout=STEP_TIMEOUT_S)
        trust = self.tls or ssl.create_default_context()
        return http.client.HTTPSConnection(place.host, place.port, timeout=STEP_TIMEOUT_S, context=trust)


def _json_object(octets: bytes) -> dict[str, Any] | None:
    try:
        told = json.loads(octets)
    except (ValueError, RecursionError):
        return None
    return cast(dict[str, Any], told) if isinstance(told, dict) else None


def _record_of(schema_id: int, told: dict[str, Any]) -> dict[str, Any]:
    """The record in an answer, its name without namespace. `schemaType` is absent for Avro."""
    kind = told.get("schemaType", "AVRO")
    written = _json_object(str(told.get("schema", "")).encode())
    if kind != "AVRO" or written is None or written.get("type") != "record" or not isinstance(written.get("name"), str):
        raise UnknownSchemaError(f"schema id {schema_id} is no Avro record")
    namespace, _, name = written["name"].rpartition(".")
    if (namespace or written.get("namespace")) != derive.NAMESPACE:
        raise UnknownSchemaError(f"schema id {schema_id} is a record of another namespace")
    record = {**written, "name": name, "namespace": derive.NAMESPACE}
    try:
        fastavro.parse_schema(record)
    except (SchemaParseException, ValueError, LookupError, TypeError, AttributeError) as error:
        raise UnknownSchemaError(f"schema id {schema_id} is no Avro schema: {error}") from error
    return record
