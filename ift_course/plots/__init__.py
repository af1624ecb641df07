"""Figures, tables and cards. Each has a static form that needs neither a kernel nor colors."""
