"""One folder per sender; the contract stands in `contract.py`."""
