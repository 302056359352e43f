"""Which IP addresses belong to the public internet."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

UNICAST = IPv6Network("2000::/3")  # all that IANA has given out as global unicast
NAT64 = IPv6Network("64:ff9b::/96")
COMPATIBLE = IPv6Network("::/96")  # "IPv4-compatible", long dead, still parsed
# Blocks that ``is_global`` of some Python versions lets pass.
NEVER = (
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),
    IPv6Network("2001::/23"),  # Teredo, ORCHID, benchmarking
    IPv6Network("3fff::/20"),  # documentation
)


def is_public(address: str | IPv4Address | IPv6Address) -> bool:
    """Tell whether an address is one that anybody on the internet may be asked at.

    An IPv4 address inside an IPv6 one (mapped, compatible, NAT64, 6to4) is judged as itself.
    Whatever is no plain address, or carries a zone, is not public.
    """
    try:
        judged = _unwrapped(ip_address(address))
    except ValueError:
        return False
    if isinstance(judged, IPv6Address) and (judged.scope_id or judged not in UNICAST):
        return False
    if any(judged.version == block.version and judged in block for block in NEVER):
        return False
    return judged.is_global and not judged.is_multicast and not judged.is_reserved


def _unwrapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if isinstance(address, IPv4Address) or address.scope_id:
        return address
    if address in NAT64 or address in COMPATIBLE:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
