"""All platforms, in one list: a new one is a file of its own, a line here, and its test."""

from vocoder_pareto.listening_test.p808 import P808
from vocoder_pareto.listening_test.page import PAGE
from vocoder_pareto.listening_test.platform import Platform
from vocoder_pareto.listening_test.rating_tables import RATING_TABLES
from vocoder_pareto.listening_test.webmushra import WEBMUSHRA

# A file of results belongs to the first platform that recognises it.
PLATFORMS: tuple[Platform, ...] = (
    PAGE,
    WEBMUSHRA,
    P808,
    RATING_TABLES,
)

EXPORTED_PLATFORMS: tuple[str, ...] = tuple(platform.name for platform in PLATFORMS if platform.export)
