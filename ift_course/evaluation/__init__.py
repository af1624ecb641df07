"""Measuring models: generate answers, score them strictly, and record what a lesson claims."""
