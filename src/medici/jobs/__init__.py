"""Background work that survives the death of whoever does it.

A **job** is a row, written in the transaction that causes the work. A **worker** claims due jobs
under a **lease** and runs the **handler** of their kind. Each claim raises the job's **fence**,
and a run writes only while its fence stands, so a worker that was thought dead changes nothing.

Verbs: enqueue, cancel, revive, claim, settle, sweep, tick.

Invariants: a job has at most one run that can write; at most one unfinished job has a given
``(kind, key)``; a job that cannot succeed is **buried**: its kind's last words are run in the same
way, and then it is dead. Who decides when is the database's clock, never the worker's.
"""
