"""Panels: what a lesson shows of a real model, computed once, stored, and shown in its notebook."""
