"""Learning from preferences: reward models, DPO, best-of-n and GRPO.

`losses.py` has the formulas by hand; the other files train with TRL.
"""
