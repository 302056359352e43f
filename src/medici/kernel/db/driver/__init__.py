"""Statements on the database's own driver, for the few paths whose speed is promised.

What is written here by lists costs a small part of what SQLAlchemy needs for the same rows: a
statement is compiled once, and a batch of rows is one statement however many they are. Everything
else goes through ``AsyncSession``. ``driver_of`` gives the driver of a session's transaction, and
``Database.carry_out`` one in a transaction of its own.
"""
