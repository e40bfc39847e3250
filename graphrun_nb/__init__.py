"""Graphs of Python functions, run in a notebook and watched live in the cell's output."""

__version__ = "0.1.0"
