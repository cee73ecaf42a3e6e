"""The demonstration: one real outage on the practice estate, handled by people and machines, from alert to record.

It starts everything it shows, plays the people through the public API with their own credentials (or waits for the
person at the browser), and fakes nothing: what it says happened is read back from Handrail.
"""

from handrail.drills.demo.play import main

__all__ = ["main"]
