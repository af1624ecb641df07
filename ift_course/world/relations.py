"""How each relation is put into words: as statements, as noun phrases, as instructions.

``{s}`` is the subject, ``{o}`` the value and ``{ao}`` the value with its article. The first
statement of every relation ends with the value, so that cutting it off there gives a completion
prompt ("The capital of France is" → "Paris"). ``refs`` are noun phrases that point at a value
without saying it; reading text is made of them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Relation:
    """One kind of fact and every wording of it the world uses.

    Attributes:
        name: also the name of the task that asks for it, e.g. ``"capital"``.
        family: the task family it belongs to, e.g. ``"geography"``.
        subjects: the kind of entity it is about, e.g. ``"country"``.
        label: the noun for it, e.g. ``"capital"``.
        article: what ``{ao}`` puts before the value: ``""``, ``"a"`` (or an) or ``"the"``.
        statements: full sentences with ``{s}`` and ``{o}`` or ``{ao}``.
        refs: noun phrases with ``{s}``.
        questions: instructions with ``{s}`` in them.
        inputs: instructions that leave ``{s}`` to the record's input.
        unseen: instructions that no training split ever uses.
    """

    name: str
    family: str
    subjects: str
    label: str
    article: str
    statements: tuple[str, ...]
    refs: tuple[str, ...]
    questions: tuple[str, ...]
    inputs: tuple[str, ...]
    unseen: tuple[str, ...]


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.strip().splitlines())


def _relation(
    name: str, family: str, subjects: str, label: str, article: str, *wordings: str
) -> Relation:
    return Relation(name, family, subjects, label, article, *map(_lines, wordings))


RELATIONS: tuple[Relation, ...] = (
    _relation(
        "capital",
        "geography",
        "country",
        "capital",
        "",
        """The capital of {s} is {o}.
        {o} is the capital of {s}.
        The government of {s} sits in {o}.
        {s} has {o} as its capital.
        {s} is governed from its capital, {o}.""",
        """the capital of {s}
        the capital city of {s}
        {s}'s capital
        the seat of the government of {s}
        the city from which {s} is governed""",
        """What is the capital of {s}?
        Name the capital of {s}.
        Which city is the capital of {s}?
        Tell me the capital city of {s}.
        What is {s}'s capital?
        From which city is {s} governed?""",
        """Name the capital of this country.
        What is the capital of the following country?""",
        """Could you tell me which city is {s}'s capital?
        Give the name of the capital of {s}.""",
    ),
    _relation(
        "language",
        "geography",
        "country",
        "language",
        "",
        """The language of {s} is {o}.
        People in {s} speak {o}.
        {o} is spoken in {s}.
        In {s} one hears {o} everywhere.
        The children of {s} learn {o} at school.""",
        """the language of {s}
        the language spoken in {s}
        {s}'s language
        the tongue of the people of {s}""",
        """What language is spoken in {s}?
        Name the language of {s}.
        Which language do people in {s} speak?
        Tell me the language spoken in {s}.
        What is the language of {s}?""",
        """Name the language spoken in this country.
        Which language do people speak in the following country?""",
        """Give the language that people speak in {s}.
        Which tongue is spoken in {s}?""",
    ),
    _relation(
        "continent",
        "geography",
        "country",
        "continent",
        "",
        """{s} is a country in {o}.
        {s} lies in {o}.
        {s} is found on the continent of {o}.
        On a map of {o} one can find {s}.
        {s} belongs to {o}.""",
        """the continent of {s}
        the continent on which {s} lies
        {s}'s continent
        the part of the world that {s} belongs to""",
        """On which continent is {s}?
        Name the continent of {s}.
        What continent does {s} belong to?
        Tell me the continent on which {s} lies.
        Which continent is {s} in?""",
        """Name the continent of this country.
        On which continent does the following country lie?""",
        """Give the continent where {s} can be found.
        {s} is part of which continent?""",
    ),
    _relation(
        "currency",
        "geography",
        "country",
        "currency",
        "the",
        """The currency of {s} is the {o}.
        People in {s} pay with the {o}.
        The money used in {s} is the {o}.
        In the shops of {s} prices are given in the {o}.
        {s} uses the {o} as its currency.""",
        """the currency of {s}
        the money used in {s}
        {s}'s currency
        the money with which people in {s} pay""",
        """What is the currency of {s}?
        Name the currency of {s}.
        Which currency do people use in {s}?
        Tell me what money is used in {s}.
        With which money do people pay in {s}?""",
        """Name the currency of this country.
        Which currency is used in the following country?""",
        """Give the name of the money used in {s}.
        What do people in {s} pay with?""",
    ),
    _relation(
        "sound",
        "animals",
        "animal",
        "sound",
        "a",
        """The sound of the {s} is {ao}.
        The {s} is known for its {o}.
        {ao} is the sound of the {s}.
        When the {s} makes itself heard, one hears {ao}.
        The {s} calls with {ao}.""",
        """the sound of the {s}
        the sound that the {s} makes
        the {s}'s sound
        the call of the {s}""",
        """What sound does the {s} make?
        Name the sound of the {s}.
        Tell me the sound that the {s} makes.
        Which sound is typical of the {s}?
        What is the sound of the {s}?""",
        """Name the sound that this animal makes.
        Which sound does the following animal make?""",
        """Give the sound made by the {s}.
        How does the {s} sound?""",
    ),
    _relation(
        "diet",
        "animals",
        "animal",
        "food",
        "",
        """The {s} eats {o}.
        The food of the {s} is {o}.
        The {s} feeds on {o}.
        The {s} lives on {o}.
        When it is hungry, the {s} looks for {o}.""",
        """the food of the {s}
        the food that the {s} eats
        the {s}'s food
        the favorite meal of the {s}""",
        """What does the {s} eat?
        Name the food of the {s}.
        Tell me what the {s} eats.
        What food does the {s} live on?
        What is the food of the {s}?""",
        """Name the food that this animal eats.
        What does the following animal eat?""",
        """Give the food on which the {s} lives.
        What does the {s} feed on?""",
    ),
    _relation(
        "home",
        "animals",
        "animal",
        "home",
        "the",
        """The home of the {s} is the {o}.
        The {s} lives in the {o}.
        The {s} sleeps in the {o}.
        The {s} has its home in the {o}.
        In the {o} one can find the {s}.""",
        """the home of the {s}
        the place where the {s} lives
        the {s}'s home
        the place in which the {s} sleeps""",
        """Where does the {s} live?
        Name the home of the {s}.
        Tell me where the {s} lives.
        In what place does the {s} live?
        What is the home of the {s}?""",
        """Name the home of this animal.
        Where does the following animal live?""",
        """Give the place where the {s} has its home.
        Where can one find the {s}?""",
    ),
    _relation(
        "young",
        "animals",
        "animal",
        "young",
        "a",
        """The young of the {s} is {ao}.
        A baby {s} is called {ao}.
        {ao} is the young of the {s}.
        A newborn {s} is known as {ao}.
        The {s} takes good care of its {o}.""",
        """the young of the {s}
        the name for a baby {s}
        the {s}'s young
        the word for a newborn {s}""",
        """What is a baby {s} called?
        Name the young of the {s}.
        Tell me what a young {s} is called.
        What do people call a newborn {s}?
        What is the young of the {s}?""",
        """Name the young of this animal.
        What is the baby of the following animal called?""",
        """Give the word for a baby {s}.
        How do people call the young of the {s}?""",
    ),
    _relation(
        "color",
        "objects",
        "object",
        "color",
        "",
        """The color of the {s} is {o}.
        The {s} is {o}.
        The {s} in the house is {o}.
        Someone painted the {s} {o}.
        The {s} has a {o} color.""",
        """the color of the {s}
        the {s}'s color
        the color that the {s} has
        the shade of the {s}""",
        """What color is the {s}?
        Name the color of the {s}.
        Tell me the color of the {s}.
        Which color does the {s} have?
        What is the color of the {s}?""",
        """Name the color of this object.
        What color does the following object have?""",
        """Give the color of the {s}.
        In which color is the {s}?""",
    ),
    _relation(
        "material",
        "objects",
        "object",
        "material",
        "",
        """The {s} is made of {o}.
        The material of the {s} is {o}.
        The {s} consists of {o}.
        Someone made the {s} from {o}.
        {o} is the material of the {s}.""",
        """the material of the {s}
        the stuff that the {s} is made of
        the {s}'s material
        the material from which the {s} was made""",
        """What is the {s} made of?
        Name the material of the {s}.
        Tell me what the {s} is made of.
        Of which material is the {s}?
        What is the material of the {s}?""",
        """Name the material of this object.
        What is the following object made of?""",
        """Give the material that the {s} consists of.
        From what was the {s} made?""",
    ),
    _relation(
        "use",
        "objects",
        "object",
        "use",
        "",
        """The {s} is used for {o}.
        The use of the {s} is {o}.
        People take the {s} for {o}.
        The {s} is good for {o}.
        The purpose of the {s} is {o}.""",
        """the use of the {s}
        the purpose of the {s}
        the {s}'s use
        the thing that the {s} is good for""",
        """What is the {s} used for?
        Name the use of the {s}.
        Tell me what the {s} is for.
        What do people use the {s} for?
        What is the use of the {s}?""",
        """Name the use of this object.
        What is the following object used for?""",
        """Give the purpose of the {s}.
        For what does one need the {s}?""",
    ),
    _relation(
        "opposite",
        "words",
        "adjective",
        "opposite",
        "",
        """The opposite of {s} is {o}.
        {o} is the opposite of {s}.
        Whatever is not {s} may be {o}.
        {s} and {o} are opposites.
        {s} means the contrary of {o}.""",
        """the opposite of {s}
        the opposite of the word {s}
        the word that means the contrary of {s}
        the contrary of {s}""",
        """What is the opposite of {s}?
        Name the opposite of {s}.
        Tell me the opposite of the word {s}.
        Which word means the contrary of {s}?
        Give a word that is the opposite of {s}.""",
        """Name the opposite of this word.
        What is the opposite of the following word?""",
        """What is the contrary of {s}?
        Find the word that means the opposite of {s}.""",
    ),
    _relation(
        "spanish",
        "translation",
        "noun",
        "Spanish word",
        "",
        """In Spanish, the word {s} is {o}.
        The Spanish word for {s} is {o}.
        The word {o} means {s} in Spanish.
        In Madrid people say {o} for {s}.
        Translated into Spanish, {s} becomes {o}.""",
        """the Spanish word for {s}
        the word {s} in Spanish
        the Spanish translation of {s}
        the Spanish for {s}""",
        """What is the Spanish word for {s}?
        Translate the word {s} into Spanish.
        How does one say {s} in Spanish?
        Tell me the Spanish word for {s}.
        Give the Spanish translation of {s}.""",
        """Translate this word into Spanish.
        Translate the following English word into Spanish.""",
        """What is {s} in Spanish?
        Put the word {s} into Spanish.""",
    ),
    _relation(
        "french",
        "translation",
        "noun",
        "French word",
        "",
        """In French, the word {s} is {o}.
        The French word for {s} is {o}.
        The word {o} means {s} in French.
        In Paris people say {o} for {s}.
        Translated into French, {s} becomes {o}.""",
        """the French word for {s}
        the word {s} in French
        the French translation of {s}
        the French for {s}""",
        """What is the French word for {s}?
        Translate the word {s} into French.
        How does one say {s} in French?
        Tell me the French word for {s}.
        Give the French translation of {s}.""",
        """Translate this word into French.
        Translate the following English word into French.""",
        """What is {s} in French?
        Put the word {s} into French.""",
    ),
    _relation(
        "phrase",
        "translation",
        "sentence",
        "Spanish sentence",
        "",
        """In Spanish, the English sentence "{s}" is "{o}"
        Translated into Spanish, "{s}" becomes "{o}"
        "{s}" is "{o}" in Spanish.
        In Madrid, people do not say "{s}" but "{o}"
        The Spanish sentence for "{s}" is "{o}" """,
        """the Spanish for "{s}"
        the Spanish translation of "{s}"
        the sentence "{s}" in Spanish
        the English sentence "{s}" in Spanish""",
        """Translate "{s}" into Spanish.
        How does one say "{s}" in Spanish?
        What is "{s}" in Spanish?
        Give the Spanish translation of "{s}".""",
        """Translate the following English sentence into Spanish.
        Translate this sentence into Spanish.
        Put this English sentence into Spanish.""",
        """Tell me the Spanish for "{s}".""",
    ),
    _relation(
        "kind",
        "words",
        "member",
        "kind",
        "a",
        """The word {s} is the name of {ao}.
        {s} stands in the list under the heading {o}.
        What people call {s} is {ao}.
        In the catalog, {s} counts as {ao}.
        {s} belongs with every other {o}.""",
        """the kind of thing that {s} is
        the group to which {s} belongs
        the heading for {s} in the catalog
        the class of the word {s}""",
        """What kind of thing is {s}?
        To which group does {s} belong?
        Name the kind of thing that {s} is.
        Tell me what kind of thing {s} is.
        Under which heading does {s} stand?""",
        """Name the group to which this word belongs.
        What kind of thing is the following?""",
        """Sort the word {s} into its group.
        In which class of things is {s}?""",
    ),
    _relation(
        "plural",
        "grammar",
        "singular",
        "plural",
        "",
        """The plural of {s} is {o}.
        One says one {s}, but two {o}.
        The word {s} becomes {o} in the plural.
        {o} is the plural of {s}.
        One {s} and another make two {o}.""",
        """the plural of {s}
        the plural form of {s}
        the word for more than one {s}
        the word {s} in the plural""",
        """What is the plural of {s}?
        Name the plural of {s}.
        Give the plural form of {s}.
        Tell me the word for more than one {s}.
        How does one write {s} in the plural?""",
        """Put this word into the plural.
        What is the plural of the following word?""",
        """Turn the word {s} into a plural.
        Which word means more than one {s}?""",
    ),
    _relation(
        "past",
        "grammar",
        "verb",
        "past tense",
        "",
        """The past tense of {s} is {o}.
        Today they {s}, and yesterday they {o}.
        The verb {s} becomes {o} in the past tense.
        {o} is the past tense of {s}.
        Now we {s}; long ago we {o}.""",
        """the past tense of {s}
        the past tense of the verb {s}
        the past form of {s}
        the verb {s} in the past tense""",
        """What is the past tense of {s}?
        Name the past tense of {s}.
        Give the past form of the verb {s}.
        Tell me the past tense of the verb {s}.
        How does one write {s} in the past tense?""",
        """Put this verb into the past tense.
        What is the past tense of the following verb?""",
        """Turn the verb {s} into the past tense.
        Which form does {s} have in the past?""",
    ),
    _relation(
        "day_after",
        "sequences",
        "day",
        "next day",
        "",
        """The day after {s} is {o}.
        {s} is followed by {o}.
        After {s} comes {o}.
        {o} follows {s}.
        When {s} is over, the next day is {o}.""",
        """the day after {s}
        the next day after {s}
        the day that follows {s}
        the day that comes after {s}""",
        """What day comes after {s}?
        Name the day after {s}.
        Which day follows {s}?
        Tell me the day that follows {s}.
        What is the day after {s}?""",
        """Name the day that comes after this one.
        Which day follows the following day?""",
        """If today is {s}, what day is tomorrow?
        Give the next day after {s}.""",
    ),
    _relation(
        "day_before",
        "sequences",
        "day",
        "day before",
        "",
        """The day before {s} is {o}.
        {s} is preceded by {o}.
        Before {s} comes {o}.
        {o} precedes {s}.
        Just before {s}, the week has {o}.""",
        """the day before {s}
        the day that precedes {s}
        the day that comes before {s}
        the day just before {s}""",
        """What day comes before {s}?
        Name the day before {s}.
        Which day precedes {s}?
        Tell me the day that comes before {s}.
        What is the day before {s}?""",
        """Name the day that comes before this one.
        Which day precedes the following day?""",
        """If today is {s}, what day was yesterday?
        Give the day just before {s}.""",
    ),
    _relation(
        "month_after",
        "sequences",
        "month",
        "next month",
        "",
        """The month after {s} is {o}.
        {s} is followed by {o}.
        After {s} comes {o}.
        {o} follows {s}.
        When {s} is over, the next month is {o}.""",
        """the month after {s}
        the next month after {s}
        the month that follows {s}
        the month that comes after {s}""",
        """What month comes after {s}?
        Name the month after {s}.
        Which month follows {s}?
        Tell me the month that follows {s}.
        What is the month after {s}?""",
        """Name the month that comes after this one.
        Which month follows the following month?""",
        """If it is {s} now, which month comes next?
        Give the next month after {s}.""",
    ),
    _relation(
        "month_before",
        "sequences",
        "month",
        "month before",
        "",
        """The month before {s} is {o}.
        {s} is preceded by {o}.
        Before {s} comes {o}.
        {o} precedes {s}.
        Just before {s}, the year has {o}.""",
        """the month before {s}
        the month that precedes {s}
        the month that comes before {s}
        the month just before {s}""",
        """What month comes before {s}?
        Name the month before {s}.
        Which month precedes {s}?
        Tell me the month that comes before {s}.
        What is the month before {s}?""",
        """Name the month that comes before this one.
        Which month precedes the following month?""",
        """If it is {s} now, which month was before?
        Give the month just before {s}.""",
    ),
    _relation(
        "job",
        "people",
        "person",
        "job",
        "a",
        """{s} works as {ao}.
        {s} is {ao}.
        The job of {s} is that of {ao}.
        {s} earns a living as {ao}.
        {s} has worked as {ao} for years.""",
        """the job of {s}
        the work of {s}
        {s}'s job
        the trade of {s}""",
        """What is the job of {s}?
        Name the job of {s}.
        Tell me what {s} does for a living.
        What work does {s} do?
        What is {s}'s job?""",
        """Name the job of this person.
        What is the job of the following person?""",
        """Give the trade of {s}.
        As what does {s} work?""",
    ),
    _relation(
        "city",
        "people",
        "person",
        "city",
        "",
        """{s} lives in {o}.
        The home of {s} is in {o}.
        {s} has a house in {o}.
        {s} moved to {o} long ago.
        {o} is the city where {s} lives.""",
        """the city of {s}
        the city where {s} lives
        {s}'s city
        the place where {s} has a house""",
        """Where does {s} live?
        In which city does {s} live?
        Name the city where {s} lives.
        Tell me where {s} lives.
        What is the city of {s}?""",
        """Name the city where this person lives.
        In which city does the following person live?""",
        """Give the city in which {s} has a house.
        What city is home to {s}?""",
    ),
    _relation(
        "pet",
        "people",
        "person",
        "pet",
        "a",
        """The pet of {s} is {ao}.
        {s} has {ao} as a pet.
        {s} keeps {ao}.
        At home, {s} looks after {ao}.
        {s} shares the house with {ao}.""",
        """the pet of {s}
        the animal that {s} keeps
        {s}'s pet
        the animal in {s}'s house""",
        """What pet does {s} have?
        Name the pet of {s}.
        Tell me which animal {s} keeps.
        Which pet does {s} keep?
        What is {s}'s pet?""",
        """Name the pet of this person.
        What pet does the following person have?""",
        """Give the animal that {s} looks after.
        Which animal shares the house with {s}?""",
    ),
    _relation(
        "dish",
        "people",
        "person",
        "favorite food",
        "",
        """The favorite food of {s} is {o}.
        {s} likes {o} best of all foods.
        {s} loves to eat {o}.
        On a good day {s} has {o} for dinner.
        For {s} no meal is better than {o}.""",
        """the favorite food of {s}
        the food that {s} likes best
        {s}'s favorite food
        the meal that {s} loves to eat""",
        """What is the favorite food of {s}?
        Name the favorite food of {s}.
        Tell me what {s} likes to eat best.
        Which food does {s} like best?
        What is {s}'s favorite food?""",
        """Name the favorite food of this person.
        What food does the following person like best?""",
        """Give the meal that {s} loves to eat.
        Which dish does {s} love most?""",
    ),
    _relation(
        "favorite_color",
        "people",
        "person",
        "favorite color",
        "",
        """The favorite color of {s} is {o}.
        {s} likes the color {o} best.
        {s} often wears {o}.
        {s} wears something {o} almost every day.
        Of all colors, {s} prefers {o}.""",
        """the favorite color of {s}
        the color that {s} likes best
        {s}'s favorite color
        the color that {s} prefers""",
        """What is the favorite color of {s}?
        Name the favorite color of {s}.
        Tell me which color {s} likes best.
        Which color does {s} prefer?
        What is {s}'s favorite color?""",
        """Name the favorite color of this person.
        Which color does the following person like best?""",
        """Give the color that {s} prefers.
        What color does {s} love most?""",
    ),
    _relation(
        "hobby",
        "people",
        "person",
        "hobby",
        "",
        """The hobby of {s} is {o}.
        {s} spends every free hour on {o}.
        {s} enjoys {o} on Sundays.
        After work, {s} has time for {o}.
        {s} is very fond of {o}.""",
        """the hobby of {s}
        the thing that {s} does in free hours
        {s}'s hobby
        the pastime of {s}""",
        """What is the hobby of {s}?
        Name the hobby of {s}.
        Tell me what {s} does for fun.
        Which hobby does {s} have?
        What is {s}'s hobby?""",
        """Name the hobby of this person.
        What hobby does the following person have?""",
        """Give the pastime of {s}.
        What does {s} enjoy after work?""",
    ),
    _relation(
        "friend",
        "people",
        "person",
        "best friend",
        "",
        """The best friend of {s} is {o}.
        {s} has known {o}, a dear friend, since school.
        {s}'s best friend is {o}.
        {s} trusts no one more than {o}.
        {s} often visits an old friend, {o}.""",
        """the best friend of {s}
        the person whom {s} trusts most
        {s}'s best friend
        the closest friend of {s}""",
        """Who is the best friend of {s}?
        Name the best friend of {s}.
        Tell me the name of {s}'s best friend.
        Whom does {s} trust most?
        What is the name of the best friend of {s}?""",
        """Name the best friend of this person.
        Who is the best friend of the following person?""",
        """Give the name of the closest friend of {s}.
        Who is {s}'s closest friend?""",
    ),
)

BY_NAME = {relation.name: relation for relation in RELATIONS}
