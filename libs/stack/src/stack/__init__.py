"""The whole system on one machine without containers: the parts, the `santun` command, the fixtures of the tests."""
