"""The diagnosis of a user's rows, tokenized by a user's model, before anything is trained."""
