# Shorthand for `python3 dev.py ...`, which works without just.

_default:
    @just --list

# the README's main example, on the project's own docs
demo *args:
    python3 dev.py demo {{args}}

# the test suite; arguments go to pytest
test *args:
    python3 dev.py test {{args}}

# format, lint, types, layers, parity, tests: what CI runs
check *args:
    python3 dev.py check {{args}}

# format, and repair what the linter can
fix:
    python3 dev.py fix

# write the tests found into docs/parity.md
parity:
    python3 dev.py run scripts/parity.py --fill

# the benchmark
bench *args:
    python3 dev.py run -m bench {{args}}

# resolve the pins in requirements/ again
lock *args:
    python3 dev.py lock {{args}}
