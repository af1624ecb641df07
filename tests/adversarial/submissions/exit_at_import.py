"""Ends the process with success while the cells are run."""

import os

os._exit(0)
