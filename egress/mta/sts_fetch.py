"""Fetches a domain's MTA-STS policy: HTTPS with a verified certificate, no redirect, within limits (RFC 8461 section 3.3)."""

import asyncio
import ssl

import aiohttp

from egress.mta.sts import MAX_POLICY_BYTES
from egress.mta.tls_report import ResultType
from egress.webhooks.guard import GuardedResolver

TIMEOUT_MS = 15_000
MAX_HEADER_BYTES = 8_190
USER_AGENT = "Hermes-MTA-STS/1"


class FetchError(Exception):
    """There is no policy to be had now; `result` says why as a report names it (RFC 8460 section 4.3.2.2)."""

    def __init__(self, detail: str, result: ResultType = "sts-policy-fetch-error") -> None:
        super().__init__(detail)
        self.result = result


async def fetch(domain: str) -> bytes:
    """The policy document of `domain` (A-labels). Raises FetchError; names that lead into private networks are refused."""
    resolver = GuardedResolver(allow_private=False)
    try:
        connector = aiohttp.TCPConnector(resolver=resolver, limit=1, ssl=ssl.create_default_context())
        async with (
            asyncio.timeout(TIMEOUT_MS / 1_000),
            aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), headers={"User-Agent": USER_AGENT},
                auto_decompress=False, trust_env=False, max_line_size=MAX_HEADER_BYTES, max_field_size=MAX_HEADER_BYTES,
            ) as client,
        ):  # fmt: skip
            return await read_policy(client, f"https://mta-sts.{domain}/.well-known/mta-sts.txt")
    except TimeoutError as error:
        raise FetchError("no answer in time") from error
    except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError) as error:
        raise FetchError("the certificate is not trusted", "sts-webpki-invalid") from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise FetchError(type(error).__name__) from error
    finally:
        await resolver.close()


async def read_policy(client: aiohttp.ClientSession, url: str) -> bytes:
    """The document at `url`. Raises FetchError for any answer but 200 with plain text within the limit."""
    async with client.get(url, allow_redirects=False) as response:
        if response.status != 200:
            raise FetchError(f"status {response.status}")
        if response.content_type != "text/plain":
            raise FetchError("not plain text", "sts-policy-invalid")
        document = bytearray()
        async for chunk in response.content.iter_any():
            document += chunk
            if len(document) > MAX_POLICY_BYTES:
                raise FetchError("too long", "sts-policy-invalid")
        return bytes(document)
