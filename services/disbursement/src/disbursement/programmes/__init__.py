"""Programmes (program bantuan), their legal bases and the versions of their rules."""
