"""Measure models: generate answers, score them strictly, and compute confidence intervals."""
