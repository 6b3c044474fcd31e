"""The reference has every public name, and what it says of it is what the source says."""

import importlib

import pytest

from scripts import reference

MODULES = [name for names in reference.SECTIONS.values() for name in names if reference.module_of(name)]


def test_the_page_is_what_the_source_says():
    shown = (reference.ROOT / reference.PAGE).read_text(encoding="utf-8")
    assert shown == reference.page(), "not up to date: python3 scripts/reference.py --fill"


def test_every_public_name_says_what_it_is():
    assert reference.undocumented() == []


def test_no_module_is_forgotten():
    assert reference.forgotten() == []


@pytest.mark.parametrize("name", MODULES)
def test_every_name_on_the_page_can_be_imported(name: str):
    module = importlib.import_module(name)
    listed = reference.module_of(name)
    assert listed is not None
    assert [public for public in listed.public if not hasattr(module, public)] == []
    assert listed.public == list(getattr(module, "__all__", []))
