"""One folder per action; the contract stands in `contract.py`."""
