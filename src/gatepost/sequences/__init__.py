"""Sequences of steps, and the enrolments of contacts in them: what is due when, and what stops it.

An *enrolment* is one contact in one sequence. When its next step is due is an indexed column (`due_at`); a tick
hands what is due to the outbox. A reply, a bounce, a meeting or an opt-out stops it before its next step.
"""
