"""Pictures, tables and cards. Each one has a static form that reads without a kernel or colors."""
