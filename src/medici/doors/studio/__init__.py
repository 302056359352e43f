"""The studio: the apps of end users and their admin dashboard, below ``/v1``."""
