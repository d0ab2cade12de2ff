"""The configuration table: tenants are found by the domain that they send from."""

from domain.tenant import Tenant
from tables.config import ConfigTable, config_key


def tenant(tenant_id: str, domain: str) -> Tenant:
    """A tenant that sends from `domain`."""
    return Tenant(tenant_id, tenant_id, "starter", "active", from_domain=domain)


def test_a_tenant_is_found_by_its_domain_until_it_has_another() -> None:
    table = ConfigTable()
    for version, value in enumerate((tenant("t2", "A.example"), tenant("t1", "a.example"), tenant("t3", "")), 1):
        table.apply(config_key(value), value, version)
    found = table.tenant_of_domain("a.example")
    assert found is not None
    assert found.tenant_id == "t1"
    table.apply("tenant/t1", tenant("t1", "b.example"), 4)
    found = table.tenant_of_domain("a.example")
    assert found is not None
    assert found.tenant_id == "t2"
    table.apply("tenant/t2", None, 5)
    assert table.tenant_of_domain("a.example") is None
    assert table.tenant_of_domain("") is None
