"""Officers (petugas): which account belongs to which person, so that nobody handles the own or a relative's money."""
