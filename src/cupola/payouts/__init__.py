"""Money to people: by rails that are a table, each payout a saga whose steps may be repeated."""
