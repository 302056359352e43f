"""Both databases behind one face: SQLite for one machine, PostgreSQL for many.

``Database.transaction`` writes, ``Database.reading`` reads. On SQLite each write of a process
passes one gate and begins with ``BEGIN IMMEDIATE``, so it never fails half way for a lock.
"""
