"""The product's decisions in a small world of their own, where one number decides what happens.

A **world** holds a store in memory, two processes, two providers and a mailbox. A **script** is a
list of steps, made from one seed; each step delivers, loses, repeats or delays a message, moves a
run to its next pause, kills or freezes a process, or lets time pass. After each the **auditor**
looks at what has changed. What fails is shrunk and printed.

The rules are the product's own; only the transactions around them are modelled.
"""
