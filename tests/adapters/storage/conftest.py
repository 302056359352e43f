"""A directory and a bucket, which must behave alike."""

from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from moto.server import ThreadedMotoServer

from medici.adapters.storage.obstore_storage import Bucket, open_storage
from medici.adapters.storage.store import Storage


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """The address of an S3 server on loopback."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_url: str, request: pytest.FixtureRequest) -> Bucket:
    """An empty bucket."""
    name = f"bucket-{abs(hash(request.node.nodeid))}"
    with urlopen(Request(f"{s3_url}/{name}", method="PUT")) as made:
        assert made.status == 200
    return Bucket(
        name=name,
        endpoint_url=s3_url,
        access_key_id="medici",
        secret_access_key="a secret of the bucket",
    )


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "files"


@pytest.fixture
def local(directory: Path) -> Storage:
    return open_storage(directory=directory)


@pytest.fixture(params=["local", "s3"])
def storage(request: pytest.FixtureRequest, directory: Path) -> Storage:
    if request.param == "local":
        return open_storage(directory=directory)
    return open_storage(directory=directory, bucket=request.getfixturevalue("bucket"))
