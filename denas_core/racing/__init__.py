"""Several networks trained alike: the finalists of a race, or the networks that a score is compared with."""
