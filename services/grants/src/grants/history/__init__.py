"""History (riwayat): every step of every file with its day, its hand, its paper and its reasons. Appended, never changed."""
