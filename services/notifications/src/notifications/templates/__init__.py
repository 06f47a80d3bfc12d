"""Templates (templat): the texts people read, Indonesian first. The words are data, here is how they are filled."""
