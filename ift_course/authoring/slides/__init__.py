"""Slides for teaching: one self-contained HTML deck for each lesson, made from its notebook.

`notebook_parts.py` reads the executed notebook, `deck.py` orders what is in it as slides, and
`render.py` writes the page. No text and no number is written for the slides.
"""
