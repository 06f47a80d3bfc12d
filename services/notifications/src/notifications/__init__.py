"""Notifications: events become messages to the people they concern."""
