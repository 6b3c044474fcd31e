"""Time zones on an event loop: what the process has used or named is there, without a look at the disk."""

from datetime import datetime
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo

import pytest
from blockbuster import BlockingError

from graphrt.errors import DeserializationError, SerializationError
from graphrt.serde import Serializer, load_zones
from graphrt.serde.zones import _known

SERIALIZER = Serializer()
BERLIN = datetime(2026, 7, 1, 12, tzinfo=ZoneInfo("Europe/Berlin"))
DATA = SERIALIZER.dumps(BERLIN)


@pytest.fixture
def a_process_that_knows_no_zone() -> None:
    _known.clear()
    ZoneInfo.clear_cache()


async def test_a_zone_that_was_written_is_read_without_the_disk() -> None:
    assert SERIALIZER.loads(SERIALIZER.dumps(BERLIN)) == BERLIN


@pytest.fixture
def zones_loaded(a_process_that_knows_no_zone: None) -> None:
    load_zones("Europe/Berlin")


async def test_a_zone_that_was_loaded_is_read_without_the_disk(zones_loaded: None) -> None:
    assert str(SERIALIZER.loads(DATA)) == str(BERLIN)


async def test_any_other_zone_is_read_from_the_disk(a_process_that_knows_no_zone: None) -> None:
    with pytest.raises(DeserializationError) as caught:  # only a loop that is watched for it
        SERIALIZER.loads(DATA)
    assert isinstance(caught.value.__cause__, BlockingError)


def test_loading_a_zone_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ValueError, match="no time zone 'Europe/Atlantis'"):
        load_zones("Europe/Atlantis")


def test_a_zone_that_would_not_come_back_is_refused() -> None:
    utc = next(Path(root) / "UTC" for root in TZPATH if (Path(root) / "UTC").exists())
    with utc.open("rb") as file:
        custom = ZoneInfo.from_file(file, key="Own/Zone")
    with pytest.raises(SerializationError, match="Own/Zone"):
        SERIALIZER.dumps(datetime(2026, 1, 1, tzinfo=custom))
