"""Reminders (pengingat): events before something ends. They move no state and each rung is told once."""
