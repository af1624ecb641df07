"""The lessons: one package each, and what they share, such as quizzes and the glossary."""
