"""The provider that needs no network: it repaints and grades a photo on this machine.

Only ``provider`` is imported by the server. Everything below ``restyle`` works on pixels and is
imported by the child process alone.
"""
