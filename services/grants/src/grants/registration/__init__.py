"""Registration (tanda daftar LKS): one row per application or certificate, from the first listing to its end."""
