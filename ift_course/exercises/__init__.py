"""Exercises: written once in solutions/NN_topic.py, and the notebooks made from that."""
