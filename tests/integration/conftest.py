"""The whole product for the tests that ask for it, started once a session."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.outside import Outside, outside
from tests.integration.product import Product


@pytest.fixture(scope="session")
def world() -> Iterator[Outside]:
    """The peers that the product's settings name."""
    with outside() as found:
        yield found


@pytest.fixture(scope="session")
def product(world: Outside) -> Iterator[Product]:
    """A running Hermes with real peers; a test that stops it starts it again."""
    # not pytest's own folder: that is private to one user, and as root PostgreSQL runs as another
    home = Path(tempfile.mkdtemp(prefix="hermes-product-"))
    found = Product(home, world)
    found.write_settings()
    try:
        found.start()
        yield found
        assert found.stop() == 0
    finally:
        if found.process is not None and found.process.poll() is None:
            found.process.kill()
            found.process.wait()
        shutil.rmtree(home, ignore_errors=True)
