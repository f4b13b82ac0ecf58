"""The rules of work, R1 to R24: each holds, and a planted violation of each is caught."""
