"""Pictures refined as texts are: signals, rules, copies, a ledger; nothing of the input is changed."""
