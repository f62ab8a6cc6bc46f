"""The script that goes into every bundle, as text."""

from __future__ import annotations

from importlib.resources import files

SCRIPT_NAME = "run_without_recsys.py"
SCRIPT = (files("recsys.bundle.cards") / SCRIPT_NAME).read_text(encoding="utf-8")
"""Recommends with NumPy and safetensors alone; no more than 40 lines."""
