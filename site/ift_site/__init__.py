"""The sources of the site, made from notebooks and docs."""
