"""What every room stands on: database, errors, ids, clock, secrets, outgoing calls, telemetry.

The kernel knows nothing of the business and imports nothing above itself.
"""
