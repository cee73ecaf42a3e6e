"""Which network addresses Handrail may call: those of the public Internet, and nothing that looks like it. Pure."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

# Written out rather than left to `is_global`, whose answer differs between versions of Python. First match names it.
_REFUSED = tuple(
    (ip_network(network), kind)
    for network, kind in (
        ("169.254.169.254/32", "a metadata address"),
        ("100.100.100.200/32", "a metadata address"),
        ("168.63.129.16/32", "a metadata address"),
        ("192.0.0.192/32", "a metadata address"),
        ("fd00:ec2::254/128", "a metadata address"),
        ("fd20:ce::254/128", "a metadata address"),
        ("0.0.0.0/8", "an unspecified address"),
        ("10.0.0.0/8", "a private address"),
        ("100.64.0.0/10", "a carrier's shared address"),
        ("127.0.0.0/8", "a loopback address"),
        ("169.254.0.0/16", "a link-local address"),
        ("172.16.0.0/12", "a private address"),
        ("192.0.0.0/24", "a reserved address"),
        ("192.0.2.0/24", "a reserved address"),
        ("192.88.99.0/24", "a reserved address"),
        ("192.168.0.0/16", "a private address"),
        ("198.18.0.0/15", "a reserved address"),
        ("198.51.100.0/24", "a reserved address"),
        ("203.0.113.0/24", "a reserved address"),
        ("224.0.0.0/4", "a multicast address"),
        ("240.0.0.0/4", "a reserved address"),
        ("::/128", "an unspecified address"),
        ("::1/128", "a loopback address"),
        ("::ffff:0:0/96", "an IPv4 address in IPv6 form"),
        ("64:ff9b::/96", "an IPv4 address behind NAT64"),
        ("64:ff9b:1::/48", "an IPv4 address behind NAT64"),
        ("fc00::/7", "a private address"),
        ("fe80::/10", "a link-local address"),
        ("ff00::/8", "a multicast address"),
        ("2001::/23", "a reserved address"),
        ("2001:db8::/32", "a reserved address"),
        ("2002::/16", "an IPv4 address behind 6to4"),
        ("3fff::/20", "a reserved address"),
    )
)
_GLOBAL_UNICAST = ip_network("2000::/3")


def why_refused(text: str) -> str | None:
    """What kind of address this is when Handrail may not call it; None when it may."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return "no address"
    for network, kind in _REFUSED:
        if address.version == network.version and address in network:
            return kind
    return "a reserved address" if _is_outside(address) else None


def _is_outside(address: IPv4Address | IPv6Address) -> bool:
    """Of IPv6 only the global unicast part is in use; the rest is refused whatever it becomes."""
    return isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST
