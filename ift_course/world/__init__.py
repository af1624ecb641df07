"""The closed world: a small set of facts and everything that is generated from it.

- `entities.yaml`, `relations.yaml`, `skills.yaml`: what exists, and how it is put into words;
  `loader`, `tables`, `relations` and `skills` read them.
- `facts`: what is true. `stories`: short stories and reviews. `grammar`: the rules of English.
- `corpus`: what the base model reads. It is made of plain facts and stories, `comprehension`
  passages, `worked_examples` and `varied_examples`, which share `passages`.
- `tasks`, `flaws`, `preferences`: what models are tuned on and tested with; `verify` grades it.
"""
