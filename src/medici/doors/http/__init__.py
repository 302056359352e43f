"""What all doors share: who may knock, sessions, errors, idempotency, limits, health.

FastAPI and Starlette are spoken here and in the doors alone. ``install`` fits an app with all of
it; a door's router uses ``IdempotentRoute`` and the dependencies ``DbSession``, ``ReadSession``,
``Now``, ``CurrentUser``, ``Operator`` and their kin.
"""
