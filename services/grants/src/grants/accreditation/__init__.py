"""Accreditation (akreditasi LKS): one row per cycle; the office checks and forwards, the body BALKS decides."""
