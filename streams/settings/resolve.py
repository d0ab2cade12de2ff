"""From settings to what the processes work with: carriers, mail pools, routes, tenants, topics, addresses."""

from pathlib import Path

from deploy.local.ports import HOST, read_ports
from domain.errors import ConfigError
from domain.tenant import DEFAULT_RATE_PER_S, QuietHours, Route, Tenant
from egress.mta.config import MtaConfig, check
from egress.mta.dkim import DkimKey
from egress.mta.errors import ConfigError as MtaError
from egress.mta.providers import Limits, Provider
from egress.mta.retry import RetrySchedule
from egress.mta.sources import Source
from egress.smpp.config import CarrierConfig
from schemas.topics import Topic, catalogue
from streams.settings.identity import tenant_id
from streams.settings.mail import MtaSettings, ProviderSettings
from streams.settings.model import Settings
from streams.settings.peers import CarrierSettings
from streams.settings.sandbox import demo_tenants
from streams.settings.tenants import TenantSettings
from streams.settings.values import SANDBOX

DEFAULT_POOL = "default"
SANDBOX_CARRIER_PORT, SANDBOX_MX_PORT = "sandbox-carrier", "sandbox-mx"
"""Names of the simulated peers' ports in `ports.json`."""

SANDBOX_SYSTEM_ID, SANDBOX_PASSWORD = "hermes", "sandbox"
SANDBOX_BINDS, SANDBOX_WINDOW = 2, 200
SANDBOX_SMS_PRICE_MICROS, SANDBOX_SMS_COST_MICROS = 30_000, 12_000
SANDBOX_MAIL_PRICE_MICROS = 1_000
SANDBOX_HOSTNAME = "mta.sandbox.example"
SANDBOX_RETRY = RetrySchedule(first_ms=1_000, greylist_ms=1_000)


def smpp_carriers(settings: Settings, state: Path) -> tuple[CarrierConfig, ...]:
    """The carriers of the file, and the simulated one, which listens where `state` remembers."""
    sandbox = CarrierConfig(
        SANDBOX, HOST, _port(state, SANDBOX_CARRIER_PORT), SANDBOX_SYSTEM_ID, SANDBOX_PASSWORD,
        binds=SANDBOX_BINDS, window=SANDBOX_WINDOW,
    )  # fmt: skip
    return (*(_carrier(c) for c in settings.carriers), sandbox)


def mail_pools(settings: Settings, state: Path) -> dict[str, MtaConfig]:
    """The mail pools by name: `sandbox` leads to the simulated host, `default` to real ones unless all is simulated.

    Raises:
        ConfigError: a DKIM key cannot be used.
    """
    hostname = settings.mta.hostname if settings.mta is not None else SANDBOX_HOSTNAME
    mx = {"*": f"{HOST}:{_port(state, SANDBOX_MX_PORT)}"}
    sandbox = MtaConfig(hostname, mx_overrides=mx, retry=SANDBOX_RETRY)
    simulated = {SANDBOX: sandbox, **({DEFAULT_POOL: sandbox} if settings.simulated else {})}
    return {**simulated, **pools_of_file(settings)}


def pools_of_file(settings: Settings) -> dict[str, MtaConfig]:
    """The mail pools that the file itself names; ConfigError when a DKIM key cannot be used."""
    return {} if settings.mta is None else {DEFAULT_POOL: _pool(settings.mta)}


def routes(settings: Settings) -> tuple[Route, ...]:
    """Routes of the file (or to simulated peers), the mail route, and those of test keys, which cost nothing."""
    found = [
        Route(
            f"sms/{r.prefix or '*'}/{r.carrier}", "sms", r.prefix, r.carrier, r.price_micros, r.cost_micros,
            r.currency, r.path,
        )
        for r in settings.routes
    ]  # fmt: skip
    mta = settings.mta
    if mta is not None:
        found.append(
            Route("email/*/default", "email", "", DEFAULT_POOL, mta.price_micros, mta.cost_micros, mta.currency)
        )
    if settings.simulated:
        sms, mail = (SANDBOX_SMS_PRICE_MICROS, SANDBOX_SMS_COST_MICROS), (SANDBOX_MAIL_PRICE_MICROS, 0)
        found.append(Route("sms/*/sandbox", "sms", "", SANDBOX, *sms))
        found.append(Route("email/*/default", "email", "", DEFAULT_POOL, *mail))
    found.append(Route("test/sms/*/sandbox", "sms", "", SANDBOX, 0, 0, test=True))
    found.append(Route("test/email/*/sandbox", "email", "", SANDBOX, 0, 0, test=True))
    return tuple(found)


def tenant_settings(settings: Settings) -> tuple[TenantSettings, ...]:
    """The tenants of the file, or the demo tenants when it names none."""
    return settings.tenants or demo_tenants()


def tenant(wanted: TenantSettings) -> Tenant:
    """The tenant of its settings; `has_webhook` is known when it is planted."""
    quiet = wanted.quiet_hours
    return Tenant(
        tenant_id=tenant_id(wanted.name),
        name=wanted.name,
        tier=wanted.tier,
        status=wanted.status,
        currency=wanted.currency,
        rate_per_s=wanted.rate_per_s or DEFAULT_RATE_PER_S[wanted.tier],
        charge_on=wanted.charge_on,
        overage=wanted.overage,
        overdraft_micros=wanted.overdraft_micros,
        from_domain=wanted.from_domain,
        sender_id=wanted.sender_id,
        quiet_hours=None if quiet is None else QuietHours(quiet.start, quiet.end, quiet.defer),
        blocked_recipients=wanted.blocked_recipients,
        blocked_phrases=wanted.blocked_phrases,
        spam_threshold=wanted.spam_threshold,
        numbers=wanted.numbers,
    )


def topics(settings: Settings) -> tuple[Topic, ...]:
    """Every topic that these settings need."""
    pools = (DEFAULT_POOL, SANDBOX) if settings.mta is not None or settings.simulated else (SANDBOX,)
    return catalogue((*(c.name for c in settings.carriers), SANDBOX), pools)


def public_url(settings: Settings, state: Path) -> str:
    """Where clients reach REST, without a slash at its end."""
    gateway = settings.gateway
    port = read_ports(state).get("http", gateway.http_port)
    return (gateway.public_url or f"http://{gateway.host}:{port}").rstrip("/")


def _carrier(wanted: CarrierSettings) -> CarrierConfig:
    return CarrierConfig(
        name=wanted.name,
        host=wanted.host,
        port=wanted.port,
        system_id=wanted.system_id,
        password=wanted.password.get_secret_value(),
        system_type=wanted.system_type,
        address_range=wanted.address_range,
        binds=wanted.binds,
        window=wanted.window,
        tps=wanted.tps,
        tls=wanted.tls,
        tls_ca="" if wanted.tls_ca_file is None else str(wanted.tls_ca_file),
        enquire_link_ms=wanted.enquire_link,
        response_timeout_ms=wanted.response_timeout,
        registered_delivery=wanted.registered_delivery,
        long_messages=wanted.long_messages,
        default_alphabet=wanted.default_alphabet,
    )


def _pool(mta: MtaSettings) -> MtaConfig:
    try:
        keys = tuple(DkimKey.load(d.domain, d.selector, d.private_key_file) for d in mta.dkim)
    except MtaError as error:
        raise ConfigError(f"mta.dkim: {error}") from error
    secret = mta.return_path_secret
    config = MtaConfig(
        hostname=mta.hostname,
        mx_overrides=mta.mx,
        dkim_keys=keys,
        platform_domain=mta.platform_domain,
        connections_per_host=mta.connections_per_host,
        messages_per_s=mta.messages_per_s,
        providers=tuple(_provider(p) for p in mta.providers),
        max_in_flight=mta.max_in_flight,
        retry=RetrySchedule(first_ms=mta.retry_first, most_ms=mta.retry_most),
        tls=mta.tls,
        tls_ca_file="" if mta.tls_ca_file is None else str(mta.tls_ca_file),
        mta_sts=mta.mta_sts,
        dane=mta.dane,
        allow_private=mta.mx_allow_private,
        smtp_port=mta.smtp_port,
        source_address=mta.source_address,
        sources=tuple(Source(s.name, s.hostname, s.address, s.weight) for s in mta.sources),
        nameservers=mta.nameservers,
        return_path_domain=mta.return_path_domain,
        return_path_secret=b"" if secret is None else secret.get_secret_value().encode(),
    )
    try:
        check(config)
    except MtaError as error:
        raise ConfigError(f"mta: {error}") from error
    return config


def _provider(wanted: ProviderSettings) -> Provider:
    suffixes = tuple("." + suffix.lower().strip(".") for suffix in wanted.mx_suffixes)
    limits = Limits(wanted.connections, wanted.mails_per_connection, wanted.per_minute)
    return Provider(wanted.name, suffixes, limits, wanted.split, wanted.needs_tls)


def _port(state: Path, name: str) -> int:
    try:
        return read_ports(state)[name]
    except KeyError:
        raise ConfigError(f"{state} knows no port called {name}: start it by `hermes up` first") from None
