"""Labels of texts and conversations as trainers and evaluators of language models read them: one file a format."""
