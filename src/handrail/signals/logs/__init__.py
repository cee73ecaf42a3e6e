"""Log lines at volume: their templates, and what is unusual about them."""
