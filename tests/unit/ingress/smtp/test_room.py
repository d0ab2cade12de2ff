"""The budgets that sessions share."""

from ingress.smtp.room import Doors, Room, network_of
from ingress.smtp.settings import SmtpServerSettings, is_loopback


def test_room_is_taken_and_given_back() -> None:
    room = Room(10)
    assert room.take(6)
    assert not room.take(5)
    room.give_back(6)
    assert room.take(10)


def test_a_client_and_all_of_them_have_their_limit() -> None:
    doors = Doors(3, 2)
    assert [doors.enter(one) for one in ("a", "a", "a", "b", "c")] == [True, True, False, True, False]
    doors.leave("a")
    assert doors.enter("a")
    assert doors.open == 3


def test_a_password_in_plain_text_is_for_loopback_only() -> None:
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "mx.test")] == [
        True, True, True, False, False,
    ]  # fmt: skip
    assert SmtpServerSettings().plaintext_auth
    assert not SmtpServerSettings(host="0.0.0.0").plaintext_auth
    assert SmtpServerSettings(host="0.0.0.0", allow_plaintext_auth=True).plaintext_auth


def test_the_addresses_of_one_ipv6_customer_count_as_one() -> None:
    assert network_of("192.0.2.1") == "192.0.2.1"
    assert network_of("::ffff:192.0.2.1") == "192.0.2.1"
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1") == "2001:db8::/64"
    assert network_of("fe80::1%eth0") == "fe80::/64"
    assert network_of("") == ""
