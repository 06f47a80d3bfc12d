"""Institutions (lembaga kesejahteraan sosial, LKS): who they are, who runs them, where their money goes."""
