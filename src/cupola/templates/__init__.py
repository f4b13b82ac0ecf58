"""Templates: what is commonly asked of people about texts, ready to be used. One file each."""
