"""The practice estate: three small real services, their monitor and their load, as Handrail's outside world.

It stands outside: it speaks HTTP with Handrail as any customer's estate would, and imports nothing of ours but
kernel.
"""
