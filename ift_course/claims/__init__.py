"""What the course claims, and the stored experiments behind the claims.

A lesson states and tests a claim with `claim.claim`. Experiments that are too long for a lesson
form a grid: `full("03", seeds=(0, 1, 2))` computes what is missing of lesson 03's grid and stores
each result at once (`ift run 03 --full` calls it); `grid_store.read` returns the results.
"""

from ift_course.claims.grids import full

__all__ = ["full"]
