"""From notebooks and docs to the sources of the site."""
