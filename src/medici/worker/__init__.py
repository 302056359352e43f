"""Background work: beside the API in its process, or in a process of its own.

``medici worker`` needs nothing but the database. ``celery -A medici.worker worker`` (or ``beat``,
or ``call``) finds its application in ``medici.worker.celery``; there a message is only a doorbell,
and the same worker does the work. Celery is loaded by nobody who does not use it.
"""

from medici.worker.process import background, embedded, run_worker, sole_server, worker_of

__all__ = ["background", "embedded", "run_worker", "sole_server", "worker_of"]
