"""What a measurement was made on."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from recsys.bench.contestants import contestant


def cpu_name() -> str:
    """Name the processor as the system does."""
    info = Path("/proc/cpuinfo")
    named = re.search(r"model name\s*:\s*(.+)", info.read_text()) if info.is_file() else None
    return named[1].strip() if named else platform.processor() or platform.machine()


def circumstances(contestants: Iterable[str], threads: int, date: str) -> dict[str, Any]:
    """Tell when and on what a measurement was made, with which versions of Python and of each contestant."""
    installed = {name: contestant(name).version() for name in contestants}
    return {"date": date, "cpu": cpu_name(), "threads": threads, "python": platform.python_version(), **installed}
