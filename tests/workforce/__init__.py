"""Who people are to the work: what they say, what was checked, what they showed."""
