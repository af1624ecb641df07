"""The closed world: a small set of facts, and everything that is generated from it.

tables → facts → relations, skills, stories (how it is said) → corpus (what the base model reads)
                                                             → tasks (what it is asked), flaws,
                                                               preferences, each with a verifier.
"""
