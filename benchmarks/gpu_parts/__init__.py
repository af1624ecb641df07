"""The parts of `benchmarks/gpu.py`, and the machinery that runs them one after the other."""
