"""Finds what is out of the ordinary in metrics: streaming, past points only, bounded memory per series, pure."""
