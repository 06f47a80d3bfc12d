"""Channels (saluran): the ways out, each behind one port: SMTP, and HTTP for SMS and WhatsApp providers."""
