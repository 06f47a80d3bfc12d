"""File formats of banks as pure functions between bytes and typed rows; nothing here knows a database."""
