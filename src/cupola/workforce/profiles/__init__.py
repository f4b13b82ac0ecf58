"""Who people are to the work: what they say of themselves, and credentials that somebody named has checked."""
