"""How the health of services is read: one folder for each kind of monitor."""
