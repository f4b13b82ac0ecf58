"""What models say of tasks, and how far each version of a model is heard. Beside judgements, never among them."""
