"""Colours of printed documents, from the two colours a company chooses."""

import re

FALLBACK = "#1f3a4d"
INK = "#1d2329"
PAPER = "#ffffff"
HEXADECIMAL = re.compile(r"#[0-9a-fA-F]{6}")


def brand(color: str | None) -> str:
    """A usable "#rrggbb": the company's, or a dark neutral where it chose none."""
    return color if color and HEXADECIMAL.fullmatch(color) else FALLBACK


def _luminance(color: str) -> float:
    """Relative luminance, 0 black to 1 white (WCAG 2.2, "relative luminance")."""
    channels = (int(color[position : position + 2], 16) / 255 for position in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def text_on(background: str) -> str:
    """Dark or white, whichever is easier to read on this background."""
    luminance = _luminance(background)
    on_white = 1.05 / (luminance + 0.05)
    on_ink = (luminance + 0.05) / (_luminance(INK) + 0.05)
    return PAPER if on_white >= on_ink else INK


def heading(color: str) -> str:
    """The brand colour where it can be read on paper (contrast of 4.5 to 1), else dark."""
    return color if 1.05 / (_luminance(color) + 0.05) >= 4.5 else INK
