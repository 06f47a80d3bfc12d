"""Treasury papers (SPD, SPP, SPM, SP2D, STS): what the finance office says may be paid."""
