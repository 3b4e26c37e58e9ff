"""Logging in through a provider: who it is that comes back, what they may do, and for how long.

No handlers here: `flower.views.auth` asks these parts. All of it belongs to the web loop.
"""
