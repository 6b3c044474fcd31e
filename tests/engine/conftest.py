"""What has been made before is not looked at again by the collections that these tests ask for.

Some ask for one after each of hundreds of runs. After ten thousand tests of other kinds there is a lot to look at.
"""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def only_what_is_new() -> Iterator[None]:
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
