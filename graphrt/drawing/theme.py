"""Colours by role, for light and for dark. No role is told by its colour alone."""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["DARK", "LIGHT", "Paint", "Theme"]


class Paint(NamedTuple):
    """What a shape is filled and drawn with; None for nothing."""

    fill: str | None
    stroke: str | None = None
    width: float = 1.25


Theme = dict[str, Paint]

LIGHT: Final[Theme] = {
    "paper": Paint("#ffffff"),
    "node": Paint("#eef2ff", "#6366f1"),
    "first": Paint("#f3f4f6", "#6b7280"),
    "last": Paint("#d1d5db", "#4b5563"),
    "handler": Paint("#fff7ed", "#c2410c"),
    "task": Paint("#f0f9ff", "#0284c7"),
    "frame": Paint("#f8fafc", "#94a3b8"),
    "dot": Paint("#4b5563", "#4b5563"),
    "ring": Paint("#ffffff", "#4b5563"),
    "ran": Paint("#ecfdf5", "#059669", 2),
    "failed": Paint("#fef2f2", "#dc2626", 2.5),
    "waiting": Paint("#fffbeb", "#d97706", 2.5),
    "next": Paint("#eff6ff", "#2563eb", 2.5),
    "idle": Paint("#f9fafb", "#9ca3af"),
    "name": Paint("#111827"),
    "note": Paint("#4b5563"),
    "label": Paint("#374151"),
    "plate": Paint("#ffffff"),
    "edge": Paint(None, "#64748b", 1.4),
    "head": Paint("#64748b"),
}
DARK: Final[Theme] = {
    "paper": Paint("#0f1420"),
    "node": Paint("#23274d", "#818cf8"),
    "first": Paint("#1f2937", "#9ca3af"),
    "last": Paint("#374151", "#9ca3af"),
    "handler": Paint("#43200c", "#fb923c"),
    "task": Paint("#0b3049", "#38bdf8"),
    "frame": Paint("#161d2b", "#64748b"),
    "dot": Paint("#cbd5e1", "#cbd5e1"),
    "ring": Paint("#0f1420", "#cbd5e1"),
    "ran": Paint("#063b2d", "#34d399", 2),
    "failed": Paint("#4a1515", "#f87171", 2.5),
    "waiting": Paint("#45300a", "#fbbf24", 2.5),
    "next": Paint("#172b52", "#60a5fa", 2.5),
    "idle": Paint("#1a2130", "#6b7280"),
    "name": Paint("#f3f4f6"),
    "note": Paint("#b6bfcc"),
    "label": Paint("#d1d5db"),
    "plate": Paint("#0f1420"),
    "edge": Paint(None, "#94a3b8", 1.4),
    "head": Paint("#94a3b8"),
}
