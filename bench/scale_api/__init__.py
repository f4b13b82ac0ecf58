"""How fast code written for Scale's interface is served."""
