"""How money gets to people. A rail is one file and one line of entry points (`cupola.rails`)."""
