import pytest

from handrail.plugins.addresses import why_refused


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("127.0.0.1", "a loopback address"),
        ("127.255.255.254", "a loopback address"),
        ("10.1.2.3", "a private address"),
        ("172.31.0.1", "a private address"),
        ("192.168.1.1", "a private address"),
        ("169.254.1.1", "a link-local address"),
        ("169.254.169.254", "a metadata address"),
        ("168.63.129.16", "a metadata address"),
        ("100.100.100.200", "a metadata address"),
        ("100.64.0.1", "a carrier's shared address"),
        ("100.127.255.255", "a carrier's shared address"),
        ("0.0.0.0", "an unspecified address"),  # noqa: S104
        ("224.0.0.251", "a multicast address"),
        ("239.255.255.250", "a multicast address"),
        ("255.255.255.255", "a reserved address"),
        ("198.18.0.1", "a reserved address"),
        ("::", "an unspecified address"),
        ("::1", "a loopback address"),
        ("::ffff:127.0.0.1", "an IPv4 address in IPv6 form"),
        ("::ffff:8.8.8.8", "an IPv4 address in IPv6 form"),
        ("::127.0.0.1", "a reserved address"),
        ("64:ff9b::7f00:1", "an IPv4 address behind NAT64"),
        ("64:ff9b:1::1", "an IPv4 address behind NAT64"),
        ("2002:7f00:1::", "an IPv4 address behind 6to4"),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "a reserved address"),
        ("fd00:ec2::254", "a metadata address"),
        ("fc00::1", "a private address"),
        ("fe80::1%eth0", "a link-local address"),
        ("fec0::1", "a reserved address"),
        ("ff02::1", "a multicast address"),
        ("2130706433", "no address"),
    ],
)
def test_an_address_that_is_not_public_is_refused_by_kind(address: str, kind: str) -> None:
    assert why_refused(address) == kind


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700::1111"])
def test_a_public_address_is_not_refused(address: str) -> None:
    assert why_refused(address) is None
