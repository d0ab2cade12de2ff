"""The regulation that a refusal names."""

import pytest

from domain.compliance.regulation import regulation_of
from domain.delivery import Channel


@pytest.mark.parametrize(
    ("channel", "address", "regulation"),
    [
        ("sms", "+14155551234", "TCPA"),
        ("sms", "+447911123456", "PECR"),
        ("sms", "+4520123456", "GDPR/ePrivacy"),
        ("whatsapp", "+351912345678", "GDPR/ePrivacy"),
        ("sms", "+5511912345678", "tenant policy"),
        ("email", "a@example.com", "GDPR/ePrivacy"),
        ("push", "token", "tenant policy"),
    ],
)
def test_the_country_of_the_address_decides(channel: Channel, address: str, regulation: str) -> None:
    assert regulation_of(channel, address) == regulation
