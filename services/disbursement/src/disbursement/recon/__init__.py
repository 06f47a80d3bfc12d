"""Reconciliation (rekonsiliasi): every difference has an owner, an age and two people who settle it."""
