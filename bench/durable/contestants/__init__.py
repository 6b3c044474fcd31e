"""Who is measured: one file per contestant, each with a function `contestant()`, listed in roster.py."""
