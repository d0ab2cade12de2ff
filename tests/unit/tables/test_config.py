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


def test_a_number_leads_to_its_tenant_and_its_first_word_to_another() -> None:
    table = ConfigTable()
    for version, (tenant_id, numbers) in enumerate(
        (("t1", ("1245", "+4512345678")), ("t2", ("1245 News",)), ("t3", ("1245 news", "1300 x"))), 1
    ):
        value = Tenant(tenant_id, tenant_id, "starter", "active", numbers=numbers)
        table.apply(config_key(value), value, version)

    def found(number: str, text: str) -> str:
        tenant = table.tenant_of_number(number, text)
        return "" if tenant is None else tenant.tenant_id

    assert found("1245", "") == found("1245", " hello news") == found("+4512345678", "NEWS") == "t1"
    assert found("1245", "NEWS please") == found("1245", "\nnews") == "t2"
    assert (found("1300", "x"), found("1300", "y"), found("1300", ""), found("12", "45 news")) == ("t3", "", "", "")
    table.apply("tenant/t2", Tenant("t2", "t2", "starter", "active"), 4)
    assert found("1245", "news") == "t3"
    table.apply("tenant/t3", None, 5)
    assert found("1245", "news") == "t1"
