"""Nothing in the product speaks to another machine but through the guarded client."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import medici

SOURCE = Path(medici.__file__).parent
HOME = "kernel/net/"  # here the guarded client is made
CLIENTS = {
    *("fal_client", "openai", "replicate", "google.genai", "boto3", "stripe"),
    *("httpx", "httpx2", "requests", "urllib3", "urllib.request", "http.client", "xmlrpc"),
    *("websockets", "ftplib", "telnetlib", "smtplib", "aiohttp"),
}
# Of aiohttp, which makes servers and forms as well.
SENDING = {"ClientSession", "request", "client", "ClientRequest", "TCPConnector", "connector"}
CONNECTING = {"open_connection", "create_connection", "urlopen", "urlretrieve"}
# Places, or the beginnings of places, and why they may.
EXCEPTIONS = {
    "cli/visited.py": "asks a running Medici at the address that its caller typed",
    "fakes/": "stands in for providers, which ring their customers' webhooks",
}


def ways_out(code: str) -> Iterator[str]:
    """Give whatever in a module could send a request by itself."""
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.Import():
                yield from filter(_is_client, (name.name for name in node.names))
            case ast.ImportFrom(module=str(module)):
                names = [name.name for name in node.names]
                yield from filter(_is_client, [module, *(f"{module}.{name}" for name in names)])
            case ast.Attribute(value=ast.Name(id="aiohttp"), attr=name):
                if name in SENDING:
                    yield f"aiohttp.{name}"
            case ast.Attribute(attr=name) if name in CONNECTING:
                yield name


def _is_client(imported: str) -> bool:
    match imported.split("."):
        case ["aiohttp"]:
            return False  # what is used of it shows
        case ["aiohttp", name, *_]:
            return name in SENDING
        case [root, *rest]:
            return root in CLIENTS or ".".join([root, *rest[:1]]) in CLIENTS
    return False


class TestSource:
    def test_has_one_way_out(self) -> None:
        found = {
            place: ways
            for path in sorted(SOURCE.rglob("*.py"))
            if not (place := path.relative_to(SOURCE).as_posix()).startswith(HOME)
            and (ways := list(ways_out(path.read_text("utf-8"))))
        }
        needed = {allowed for allowed in EXCEPTIONS for place in found if place.startswith(allowed)}

        assert {p: ways for p, ways in found.items() if not p.startswith(tuple(EXCEPTIONS))} == {}
        assert needed == set(EXCEPTIONS)


class TestWaysOut:
    @pytest.mark.parametrize(
        "code",
        [
            "import httpx",
            "import urllib.request",
            "from urllib import request",
            "from http.client import HTTPSConnection",
            "from http import client",
            "import requests.sessions",
            "from openai import AsyncOpenAI",
            "from google import genai",
            "import aiohttp\nasync def f(): await aiohttp.request('GET', '')",
            "from aiohttp import ClientSession",
            "from aiohttp.client import ClientSession",
            "import asyncio\nasync def f(): await asyncio.open_connection('', 1)",
        ],
    )
    def test_sees_one(self, code: str) -> None:
        assert list(ways_out(code)) != []

    @pytest.mark.parametrize(
        "code",
        [
            "from http import HTTPStatus",
            "from urllib.parse import urlsplit",
            "import aiohttp\nform = aiohttp.FormData()",
            "from aiohttp import web",
            "from medici.kernel.net.client import OutgoingClient",
        ],
    )
    def test_sees_none(self, code: str) -> None:
        assert list(ways_out(code)) == []
