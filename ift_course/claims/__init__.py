"""The grids behind the lessons: too long to run in one, so computed once and stored.

`full("03", seeds=(0, 1, 2))` computes what is missing of lesson 03's grid and keeps each result as
it comes; `ift run 03 --full` calls it. `grid_store.read` gives the rows back.
"""

from ift_course.claims.grids import full

__all__ = ["full"]
