"""The pages for people: the reference and the catalogue of errors, whole in themselves, made once from OpenAPI."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from domain.errors import CODES, Code, status_of, title_of

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a2e}"
    "h1,h2{line-height:1.2}pre{background:#f4f4f8;padding:1rem;overflow:auto;border-radius:6px}"
    "code{font-family:ui-monospace,monospace;font-size:.9em}table{border-collapse:collapse;width:100%}"
    "td,th{border-bottom:1px solid #dde;padding:.35rem .6rem;text-align:left;vertical-align:top}"
    "section{border-top:2px solid #dde;margin-top:2rem}.m{font-weight:700}a{color:#2a4bd7}"
)
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def reference_page(document: Mapping[str, Any], public_url: str) -> bytes:
    """The reference: how to send, then every operation with its body, answers and refusals."""
    schemas = document["components"]["schemas"]
    operations = [
        _operation(method, path, operation, schemas)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    intro = f"<p>{_prose(document['info']['description'])}</p>"
    links = '<p><a href="/openapi.json">openapi.json</a> · <a href="/docs/errors">errors</a></p>'
    return _page("Hermes API", intro + links + _send_example(public_url) + "".join(operations))


def errors_page() -> bytes:
    """The catalogue of refusals; each has its code as its anchor."""
    rows = "".join(
        f'<section id="{code}"><h2><code>{code}</code></h2><p>{status_of(code)}: {escape(title_of(code))}.</p>'
        f"<p>{escape(_WHAT_NOW[code])}</p></section>"
        for code in CODES
    )
    return _page("Hermes errors", f'<p><a href="/docs">reference</a></p>{rows}')


def _page(title: str, content: str) -> bytes:
    head = f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    head += f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
    return f"{head}<body><h1>{title}</h1>{content}</body></html>".encode()


def _send_example(public_url: str) -> str:
    command = (
        f"curl {public_url}/v1/messages/send \\\n"
        '  -H "Authorization: Bearer $HERMES_KEY" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        '  -H "Idempotency-Key: order-1234-shipped" \\\n'
        "  -d '{\n"
        '    "to": {"type": "multi", "email": "user@example.com", "phone": "+14155551234"},\n'
        '    "body": {"text": "Your order #1234 has shipped!", "subject": "Order shipped"},\n'
        '    "routing": {"type": "channels", "channels": [{"channel": "email", "timeout": "30s"}, {"channel": "sms"}]}\n'
        "  }'"
    )
    return f"<h2>Send a message</h2><pre><code>{escape(command)}</code></pre>"


def _operation(method: str, path: str, operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    name = operation["operationId"]
    parts = [
        f'<section id="{name}"><h2><span class="m">{method.upper()}</span> <code>{escape(path)}</code></h2>',
        f"<p>{escape(operation['summary'])}. {_prose(operation.get('description', ''))}</p>",
    ]
    body = operation.get("requestBody")
    if body:
        parts.append(f"<h3>Body</h3>{_fields(body['content']['application/json']['schema'], schemas)}")
    parts.append("<h3>Answers</h3><table>")
    for status, response in operation["responses"].items():
        parts.append(f"<tr><td>{status}</td><td>{_prose(response['description'])}</td></tr>")
    parts.append("</table></section>")
    return "".join(parts)


def _fields(schema: Mapping[str, Any], schemas: Mapping[str, Any], depth: int = 0) -> str:
    """A table of the fields of an object; objects inside follow it, four levels deep."""
    target = _resolve(schema, schemas)
    properties = target.get("properties")
    if not properties or depth > 4:
        return ""
    needed: Sequence[str] = target.get("required", ())
    rows, inner = [], []
    for name, value in properties.items():
        must = "required" if name in needed else ""
        rows.append(
            f"<tr><td><code>{escape(name)}</code></td><td>{escape(_type(value, schemas))}</td><td>{must}</td></tr>"
        )
        nested = _nested(value, schemas)
        if nested:
            inner.append(f"<h4><code>{escape(name)}</code></h4>{_fields(nested, schemas, depth + 1)}")
    return f"<table>{''.join(rows)}</table>{''.join(inner)}"


def _resolve(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref", "")
    target: Mapping[str, Any] = schemas[reference.rpartition("/")[2]] if reference else schema
    return target


def _nested(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The object that a property is or lists, or None."""
    for choice in (schema, schema.get("items", {}), *schema.get("anyOf", ())):
        found = choice.get("items", choice)
        if "$ref" in found and "properties" in _resolve(found, schemas):
            object_schema: Mapping[str, Any] = found
            return object_schema
    return None


def _type(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_type(choice, schemas) for choice in schema["anyOf"] if choice.get("type") != "null")
    if "$ref" in schema:
        return str(_resolve(schema, schemas).get("type", "object"))
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}), schemas)}"
    text = str(schema.get("description") or schema.get("format") or schema.get("type", "any"))
    return f"{text}, at most {schema['maxLength']} characters" if "maxLength" in schema else text


def _prose(text: str) -> str:
    """Text with `code` between backquotes."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts))


_WHAT_NOW: dict[Code, str] = {
    "invalid_json": "Send JSON in UTF-8, at most 32 levels deep, each name once in its object.",
    "payload_too_large": "A body has at most 1 MiB; split a batch.",
    "unsupported_media_type": "Send the header Content-Type: application/json.",
    "unauthorized": "Send a valid key as Authorization: Bearer or X-API-Key; make a new one when it was revoked or expired.",
    "forbidden": "Use a key with the scope that the operation names.",
    "tenant_provisioning": "Try again after the seconds in Retry-After.",
    "tenant_suspended": "The detail says why; contact the operator.",
    "tenant_deactivated": "The account is closed for good; contact the operator.",
    "not_found": "Look at the path and the id; what belongs to another tenant does not exist for you.",
    "method_not_allowed": "The header Allow names the methods.",
    "conflict": "The detail says which state stands against it.",
    "idempotency_key_reused": "Use a new key for another body; repeat a request with the very same body.",
    "idempotency_in_progress": "Repeat the request after the seconds in Retry-After to learn its answer.",
    "rate_limit_exceeded": "Wait for retry_after seconds; the headers RateLimit and RateLimit-Policy say what is left.",
    "insufficient_balance": "Add credit: balance and required are in millionths of your currency's unit.",
    "validation_failed": "errors has every field that is wrong, with its path.",
    "compliance_blocked": "compliance_code and regulation say which rule forbids it.",
    "content_violation": "violations has every rule that the content broke.",
    "no_route": "No carrier serves this recipient on the channels that you asked for.",
    "overloaded": "Repeat the request with the same idempotency key after the seconds in Retry-After.",
    "internal_error": "Repeat the request with the same idempotency key; tell the operator the request_id.",
}
