"""Real programs on loopback: each a context manager with a private folder, configuration and port.

Nothing of the system's own installation of them is read, written or stopped.
"""
