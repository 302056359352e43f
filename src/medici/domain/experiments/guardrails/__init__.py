"""Guardrails: what no experiment may do to the users that it serves.

A **guardrail** is a metric with a threshold, measured on exactly those users; a **gate** is a
number of observations without which nothing is judged. A breach counts once per look; as many in
a row as the operators ask for pause the experiment. A metric without data breaches nothing.
"""
