"""What holds for the project as a whole: it imports, lightly, and ships what it promises."""

import importlib
import importlib.metadata
import pkgutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import checkpointers
import graphrt
import stores
from graphrt.version import __version__

ROOT = Path(__file__).parent.parent

MODULES = sorted(
    module.name
    for package in (graphrt, checkpointers, stores)
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + ".")
    if not module.name.endswith("__main__")  # importing those runs them
)

# What users of the core must not pay for: each costs more than the whole of graphrt.
HEAVY = {
    *("aiosqlite", "asyncpg", "sqlite3"),
    *("fastapi", "httpx", "starlette", "uvicorn"),
    *("langchain_core", "langgraph", "numpy", "pydantic"),
    *("click", "rich", "uvloop"),
}


@pytest.mark.parametrize("name", MODULES)
def test_every_module_imports_and_has_what_it_announces(name):
    module = importlib.import_module(name)
    missing = [public for public in getattr(module, "__all__", ()) if not hasattr(module, public)]
    assert not missing


def test_public_names_of_the_package_resolve():
    assert [name for name in graphrt.__all__ if not hasattr(graphrt, name)] == []


@pytest.mark.parametrize("package", ["graphrt", "graphrt.graph", "graphrt.checkpoint.memory"])
def test_importing_loads_nothing_heavy(package):
    code = f"import sys, {package}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert HEAVY.isdisjoint(loaded.split())


def test_every_module_says_what_it_is():
    silent = [
        path.relative_to(ROOT).as_posix()
        for package in ("graphrt", "checkpointers", "stores")
        for path in (ROOT / package).rglob("*.py")
        if not path.read_text(encoding="utf-8").startswith(('"""', 'r"""'))
    ]
    assert silent == []


def test_installed_metadata_has_the_version_of_the_source():
    assert importlib.metadata.version("graphrt") == __version__


def test_core_depends_on_anyio_and_msgspec_alone():
    required = importlib.metadata.requires("graphrt") or []
    core = {line.split(">")[0] for line in required if "extra ==" not in line}
    assert core == {"anyio", "msgspec"}


def test_checkpointers_are_found_by_url_scheme():
    (memory,) = importlib.metadata.entry_points(group="graphrt.checkpointers", name="memory")
    assert memory.load() is importlib.import_module("graphrt.checkpoint.memory").InMemorySaver


@pytest.mark.slow
def test_wheel_holds_all_packages_and_their_type_markers(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {
        "graphrt/py.typed",
        "graphrt/__init__.py",
        "checkpointers/py.typed",
        "checkpointers/memory.py",
        "stores/py.typed",
        "stores/sqlite/migrations/0001_items.sql",
    } <= names
    assert {name.split("/")[0] for name in names} == {
        "graphrt",
        "checkpointers",
        "stores",
        f"graphrt-{__version__}.dist-info",
    }


@pytest.mark.parametrize("file", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda path: path.stem)
def test_pins_name_versions_and_hashes_and_no_place_to_fetch_from(file):
    text = file.read_text(encoding="utf-8")
    assert "://" not in text and "--index" not in text and "--find-links" not in text
    pins = [line for line in text.splitlines() if not line.startswith((" ", "#"))]
    assert pins and all("==" in pin for pin in pins)
