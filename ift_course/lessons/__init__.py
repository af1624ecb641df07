"""Finding, building, executing and reporting the lessons."""
