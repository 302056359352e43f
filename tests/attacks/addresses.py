"""Addresses that nobody from outside may make us connect to, in every spelling that we know of."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

PRIVATE_IPV4 = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "169.254.169.254/32",
    "169.254.170.2/32",
    "255.255.255.255/32",
)
PRIVATE_IPV6 = (
    "::/128",
    "::1/128",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/32",
    "2001:db8::/32",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
)
PUBLIC = (
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "198.17.255.255",
    "223.255.255.255",
    "2001:4860:4860::8888",
    "2606:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2002:808:808::1",
)

# Hosts as written in a URL that mean this machine or a neighbour of it to some parser.
ODD_SPELLINGS = (
    "127.1",
    "127.0.1",
    "0",
    "2130706433",
    "4294967295",
    "0x7f.1",
    "0x7f000001",
    "0X7F.0.0.1",
    "0177.0.0.1",
    "017700000001",
    "0300.0250.0.1",
    "127.0.0.1.",
    "127.0.0.01",
    "127.0.0.256",
    "1.2.3.4.5",
    "0x",
    "①②⑦.⓪.⓪.①",
    "１２７.０.０.１",
    "127。0。0。1",
    "127．0．0．1",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::169.254.169.254]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]",
    "[fe80::1%25eth0]",
    "[fe80::1%eth0]",
    "[::1%25lo]",
    "[fc00::1]",
    "[v1.127.0.0.1]",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "localhost..",
    "foo.localhost",
    "ⓛocalhost",
    "ｌｏｃａｌｈｏｓｔ",
    "localhost.localdomain",
    "redis",
    "metadata.google.internal",
    "printer.local",
    "nas.lan",
    "1.0.0.127.in-addr.arpa",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
)

# Whole URLs whose host depends on who reads them.
TRICKY_URLS = (
    "https://user@127.0.0.1/",
    "https://user:password@files.example/",
    "https://@files.example/",
    "https://files.example@127.0.0.1/",
    "https://127.0.0.1#@files.example/",
    "https://127.0.0.1?@files.example/",
    "https://127.0.0.1\\@files.example/",
    "https://files.example\\@127.0.0.1/",
    "https:\\\\127.0.0.1/",
    "https:/\\127.0.0.1/",
    "https:///127.0.0.1/",
    "https://127.0.0.1\t/",
    "https://127.0\n.0.1/",
    "\thttps://127.0.0.1/",
    " https://127.0.0.1/",
    "https://files.example\r\nHost: 127.0.0.1/",
    "https://files.example\x00.evil/",
    "https://files.example:80/",
    "https://files.example:0/",
    "https://files.example:8443/",
    "https://files.example:65536/",
    "https://files.example:-443/",
    "https://files..example/",
    "https://.files.example/",
    "https://-files.example/",
    "https://files_.exam ple/",
    "https://files.example／.evil/",
    "https://files.example\u2028/",
    "https://\ud800.example/",
    "https://" + "a." * 130 + "example/",
    "https://" + "a" * 64 + ".example/",
    "https://files.example/" + "a" * 9000,
    "https://",
    "https:",
    "https:files.example",
    "//127.0.0.1/",
    "127.0.0.1",
    "",
    "http://files.example/",
    "ftp://files.example/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "data:text/plain,hello",
    "unix:///var/run/docker.sock",
    "javascript:alert(1)",
    "https+unix://127.0.0.1/",
)


def private_ipv4() -> Iterator[IPv4Address]:
    """Make the first, the middle and the last address of each block that is not public."""
    for text in PRIVATE_IPV4:
        block = IPv4Network(text)
        yield from {block[0], block[block.num_addresses // 2], block[-1]}


def private_ipv6() -> Iterator[IPv6Address]:
    """Make the same of IPv6, and every IPv6 spelling of each private IPv4 address."""
    for text in PRIVATE_IPV6:
        block = IPv6Network(text)
        yield from {block[0], block[block.num_addresses // 2], block[-1]}
    for address in private_ipv4():
        yield from _embeddings(int(address))


def private_hosts() -> list[str]:
    """Return every host that must be refused, as it is written in a URL."""
    literals = {str(address) for address in private_ipv4()}
    literals |= {f"[{address}]" for address in private_ipv6()}
    return [*ODD_SPELLINGS, *sorted(literals)]


def _embeddings(address: int) -> Iterator[IPv6Address]:
    yield IPv6Address(address)  # IPv4-compatible
    yield IPv6Address((0xFFFF << 32) | address)  # IPv4-mapped
    yield IPv6Address((0x64FF9B << 96) | address)  # NAT64
    yield IPv6Address((0x2002 << 112) | (address << 80) | 1)  # 6to4
