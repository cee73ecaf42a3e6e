"""Other alert servers, installed by their ordinary packages and put under the same storm on the same machine.

Each module offers one `Peer`. What cannot be installed here is left out with a sentence, never with a guess.
"""
