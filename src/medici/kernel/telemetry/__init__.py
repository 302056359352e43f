"""What the process tells about itself: logs, metrics, and faults sent to Sentry.

Nothing secret or personal leaves through any of them: all pass ``redact``.
"""
